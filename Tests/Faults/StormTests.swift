import EndToEndSupport
import Foundation
import Glibc
import SessionCore
import Testing

/// Clients that come all at once, read next to nothing or never finish what they began. The session and the other clients
/// notice nothing, and memory and descriptors stay bounded.
@Suite(.serialized) struct StormTests {
    @Test func fiveHundredClientsThatComeBackAtOnceAreServedOrToldSo() async throws {
        try await Listener.with { rookery in
            let id = try await rookery.api.create()
            let typist = try await rookery.api.terminal(id)
            _ = try await typist.waitForMessage(type: "snapshot")
            let service = try #require(rookery.supervisor).pid
            let worker = try #require(Victim.worker.pid(in: rookery, session: id))
            let before = (Self.descriptors(of: service), Self.descriptors(of: worker))
            for _ in 0..<(Rounds.isFull ? 5 : 1) {
                let api = rookery.api
                let served = await withTaskGroup(of: Bool.self) { group in
                    for _ in 0..<500 {
                        group.addTask {
                            guard let client = try? await api.terminal(id, mode: "view") else { return false }
                            let seen = try? await client.waitForMessage(type: "snapshot")
                            await client.close()
                            return seen != nil
                        }
                    }
                    return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
                #expect(served > 0)
            }
            try await typist.type("still here\n")
            try await eventually("the line") { Listener.said(in: id, of: rookery) == ["still here"] ? true : nil }
            try await eventually("the clients to be forgotten") {
                Self.descriptors(of: service) <= before.0 + 8 && Self.descriptors(of: worker) <= before.1 + 2
                    ? true : nil
            }
            await typist.close()
        }
    }

    @Test func aReaderOfOneByteASecondCostsNobodyAnything() async throws {
        let command = "/tmp/rk-flood-\(UUID().uuidString.prefix(8))"
        let flood = "#!/bin/sh\nexec yes 'a line of output that nobody asked for'\n"
        try flood.write(toFile: command, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: command) }
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: command)
        try await Rookery.with(RookeryOptions(startCommand: command)) { rookery in
            let id = try await rookery.api.create()
            let slow = try SlowReader(rookery.api, session: id)
            let worker = try #require(Victim.worker.pid(in: rookery, session: id))
            let supervisor = try #require(rookery.supervisor).pid
            // Until the flood has filled what there is to fill.
            try await Task.sleep(for: .seconds(5))
            let before = (Self.memory(of: worker), Self.memory(of: supervisor))
            for _ in 0..<(Rounds.isFull ? 30 : 6) {
                slow.readOneByte()
                try await Task.sleep(for: .seconds(1))
            }
            #expect(Self.memory(of: worker) < before.0 + (16 << 20))
            #expect(Self.memory(of: supervisor) < before.1 + (16 << 20))
            let other = try await rookery.api.terminal(id, mode: "view")
            try await other.waitForText("a line of output")
            await other.close()
        }
    }

    @Test func connectionsThatAreNeverFinishedAreClosedAndHoldNobodyUp() async throws {
        try await Listener.with { rookery in
            let id = try await rookery.api.create()
            let halves = try (0..<200).map { _ in try SlowReader(rookery.api, sending: "GET /v1/sess") }
            try await rookery.api.input(id, "beside them")
            try await eventually("the input") { Listener.said(in: id, of: rookery) == ["beside them"] ? true : nil }
            try await eventually("the server to close them", within: .seconds(90)) {
                halves.allSatisfy(\.isClosed) ? true : nil
            }
        }
    }

    @Test func aServiceWithoutDescriptorsGoesOnWhenThereAreSome() async throws {
        try await Listener.with(RookeryOptions(wrapper: ["/usr/bin/prlimit", "--nofile=128:128"])) { rookery in
            let id = try await rookery.api.create()
            let terminal = try await rookery.api.terminal(id)
            _ = try await terminal.waitForMessage(type: "snapshot")
            let service = try #require(rookery.supervisor).pid
            do {
                // What cannot be accepted waits in the kernel's queue.
                let crowd = try (0..<200).map { _ in try SlowReader(rookery.api, sending: "GET /v1/sess") }
                try await eventually("the descriptors to be used up") {
                    Self.descriptors(of: service) >= 120 ? true : nil
                }
                try await terminal.type("typed meanwhile\n")
                try await eventually("the line") {
                    Listener.said(in: id, of: rookery) == ["typed meanwhile"] ? true : nil
                }
                withExtendedLifetime(crowd) {}
            }
            try await eventually("the service to answer", within: .seconds(60)) {
                (try? await rookery.api.get("/readyz").status) == 200 ? true : nil
            }
            try await rookery.api.input(id, "after")
            let second = try await rookery.api.create()
            try await rookery.api.waitFor(second, lifecycle: .running)
            #expect(rookery.supervisor?.process.isRunning == true)
            await terminal.close()
        }
    }

    static func descriptors(of pid: Int32) -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count) ?? 0
    }

    /// Resident bytes.
    static func memory(of pid: Int32) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8)) ?? ""
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
    }
}
