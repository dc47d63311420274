import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// A real worker of the release before under this supervisor, and its session under the present one afterwards.
/// `make previous` builds it and says where it is.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct PreviousWorkerTests {
    static let previous = ProcessInfo.processInfo.environment["ROOKERY_PREVIOUS_WORKER"]

    @Test(.enabled(if: previous != nil, "make previous runs it")) func aSessionOfTheReleaseBeforeIsDrivenAndTakenOver()
        async throws
    {
        let previous = try #require(Self.previous)
        let programs = try InstalledPrograms()
        defer { programs.remove() }
        var options = RookeryOptions(startCommand: try programs.shell())
        options.programs = programs.directory
        try await Rookery.with(options) { rookery in
            try programs.replace("rookery-worker", withFile: previous)
            let id = try await rookery.api.create()
            try await rookery.api.waitForScreen(id, containing: "$")
            let worker = rookery.worker(of: id)
            try programs.replace("rookery-worker")

            // By API and by a client of its own, in both directions.
            try await rookery.api.input(id, "echo by-api-$((40+2))")
            try await rookery.api.waitForScreen(id, containing: "by-api-42")
            let client = try await rookery.api.terminal(id)
            try await client.type("echo by-hand-$((40+2))\r")
            try await client.waitForText("by-hand-42")
            #expect(try await rookery.api.get("/v1/sessions/\(id)/idle").status == 200)
            #expect(try await rookery.api.session(id)["clients"]?.array?.count == 1)

            // Another supervisor of the present release takes it up where it is.
            await rookery.endSupervisor(signal: SIGKILL)
            try await rookery.restartIfDead()
            #expect(rookery.worker(of: id) == worker)
            try await client.type("echo adopted-$((40+2))\r")
            try await client.waitForText("adopted-42")
            try await rookery.api.input(id, "echo again-$((40+2))")
            try await client.waitForText("again-42")

            // It makes way for the present one. What it wrote is read by that.
            let upgraded = try await EndToEndSupport.run(
                [
                    Programs.built("rookery"), "upgrade", "--server", rookery.address, "--workers-only", "--workers",
                    "now", "--wait",
                ], environment: ["ROOKERY_TOKEN": rookery.api.token ?? ""], within: .seconds(120), logs: rookery.root)
            #expect(upgraded.status == 0, "\(upgraded.errors)")
            #expect(rookery.worker(of: id) != worker)
            #expect(try await rookery.api.session(id)["incarnation"]?.integer == 2)
            let recording = try await rookery.api.get("/v1/sessions/\(id)/recording")
            #expect(recording.text.contains("by-hand-42") && recording.text.contains("again-42"))
            try await rookery.api.input(id, "echo present-$((40+2))")
            try await rookery.api.waitForScreen(id, containing: "present-42")
            await client.close()
        }
    }
}
