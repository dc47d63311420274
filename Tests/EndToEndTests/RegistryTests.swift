import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// A registry that is lost under a running installation.
@Suite(.serialized) struct RegistryTests {
    @Test func aRegistryOfRandomBytesInterruptsNobody() async throws {
        let command = "/tmp/rk-cat-\(UUID().uuidString.prefix(8))"
        try "#!/bin/sh\nexec cat\n".write(toFile: command, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: command) }
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: command)
        try await Rookery.with(RookeryOptions(startCommand: command)) { rookery in
            let live = try await rookery.api.create()
            let deleted = try await rookery.api.create()
            let parked = try await rookery.api.create()
            try await rookery.api.input(live, "typed before")
            try await rookery.api.waitForScreen(live, containing: "typed before")
            let backup = try await registry(["backup"], rookery)
            #expect(backup.status == 0)
            #expect(try await rookery.api.post("/v1/sessions/\(parked)/park").status == 200)
            #expect(try await rookery.api.delete("/v1/sessions/\(deleted)").status == 204)
            let check = try await registry(["check", "--output", "json"], rookery)
            #expect(check.status == 0)
            #expect(JSONValue(parsing: check.output)?["in_use"]?.bool == true)
            let refused = try await registry(["rebuild"], rookery)
            #expect(refused.status == 1)
            #expect(refused.errors.contains("Stop that supervisor"))

            for name in ["registry.sqlite", "registry.sqlite-wal"] {
                let file = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(rookery.stateDirectory)/\(name)"))
                try file.write(contentsOf: Data((0..<100_000).map { _ in UInt8.random(in: 0...255) }))
                try file.close()
            }
            await rookery.endSupervisor(signal: SIGKILL)
            let damaged = try await registry(["check"], rookery)
            #expect(damaged.status == 1)
            #expect(damaged.output.contains("rookery registry rebuild"))

            // With the same token, which its file holds.
            try await rookery.start()
            let api = rookery.api
            #expect(try await api.session(live)["lifecycle"]?.string == "running")
            #expect(try await api.session(live)["incarnation"]?.integer == 1)
            try await api.input(live, "typed after")
            try await api.waitForScreen(live, containing: "typed after")
            #expect(try await api.screen(live).contains("typed before"))
            #expect(try await api.session(parked)["lifecycle"]?.string == "parked")
            #expect(try await api.get("/v1/sessions/\(deleted)").status == 404)
            let ready = try await api.get("/readyz")
            #expect(ready.json["checks"]?["recovery"]?.string?.contains("damaged") == true)
            // Nothing was thrown away.
            let aside = try FileManager.default.contentsOfDirectory(atPath: "\(rookery.stateDirectory)/damaged")
            #expect(aside.count == 1)
            // It wakes, too.
            #expect(try await api.post("/v1/sessions/\(parked)/resume").status == 200)
        }
    }

    private func registry(_ arguments: [String], _ rookery: Rookery) async throws -> (
        status: Int32, output: String, errors: String
    ) {
        try await run(
            [Programs.built("rookery"), "registry"] + arguments + ["--state-dir", rookery.stateDirectory],
            logs: rookery.root)
    }
}
