import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// The main job with the real Claude Code CLI in the real sandbox, against the scripted model.
@Suite(.serialized) struct MainJobTests {
    @Test func createsASessionAndTalksToClaudeCode() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(["name": "first"])
            try await api.waitForScreen(id, containing: "Claude Code")
            try await api.waitFor(id, activity: .idle)

            try await api.input(id, "SAY answer-from-the-model")
            try await api.waitForScreen(id, containing: "● answer-from-the-model")
            try await api.waitFor(id, activity: .idle)

            if Programs.isRoot {
                let stats = try await api.get("/v1/sessions/\(id)/stats").json
                #expect((stats["memory"]?["current"]?.integer ?? 0) > 50 << 20, "\(stats)")
                #expect((stats["pids"]?["current"]?.integer ?? 0) >= 2, "\(stats)")
            }

            let listed = try await api.sessions()
            #expect(listed.map { $0["id"]?.string } == [id])
            #expect(listed.first?["name"]?.string == "first")
        }
    }

    @Test func aToolRunsInTheWorkspaceAfterAPersonAllowsIt() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create()
            try await api.waitFor(id, activity: .idle)
            try await api.waitForScreen(id, containing: "❯")

            try await api.input(id, "BASH touch made-by-bash && pwd")
            try await api.waitForScreen(id, containing: "Do you want to proceed?")
            try await api.waitFor(id, activity: .pending)

            let terminal = try await api.terminal(id)
            // Claude Code takes no key in a dialog's first moments, and a person is not that fast either.
            _ = try await terminal.waitForMessage(type: "snapshot")
            try await Task.sleep(for: .seconds(1))
            try await terminal.type("\r")
            try await api.waitForScreen(id, containing: "● done")
            try await api.waitFor(id, activity: .idle)
            #expect(
                FileManager.default.fileExists(
                    atPath: rookery.path("/workspace/made-by-bash", of: id)))
            await terminal.close()
        }
    }

    /// The shipped policy: its system calls, its limits, and Landlock, which it requires.
    @Test func aWholeTurnWithAToolRunsUnderTheStrictPolicy() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(["policy": "strict"])
            try await api.waitForScreen(id, containing: "❯")
            try await api.waitFor(id, activity: .idle)
            let limits = try await api.session(id)["limits"]?.array ?? []
            #expect(limits.contains { $0["name"]?.string == "landlock" && $0["enforced"]?.string != nil }, "\(limits)")

            try await api.input(id, "BASH python3 -c 'print(6 * 7)' > made-under-strict")
            try await api.waitForScreen(id, containing: "Do you want to proceed?")
            let terminal = try await api.terminal(id)
            _ = try await terminal.waitForMessage(type: "snapshot")
            try await Task.sleep(for: .seconds(1))
            try await terminal.type("\r")
            try await api.waitForScreen(id, containing: "● done")
            try await api.waitFor(id, activity: .idle)
            let made = try String(contentsOfFile: rookery.path("/workspace/made-under-strict", of: id), encoding: .utf8)
            #expect(made == "42\n")
            await terminal.close()
            // Nothing that Claude Code itself does is taken for an attack.
            let events = try await api.events("/v1/sessions/\(id)/events?since=0") { events in
                events.contains { $0["type"]?.string == "turn.completed" }
            }
            let violations = events.filter { $0["type"]?.string == "policy.violation" }
            #expect(violations.isEmpty, "\(violations)")
        }
    }

    @Test func anIdleSessionIsParkedAndAMessageBringsItBackWithItsMemory() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(["idle_timeout": "4s"])
            try await api.waitForScreen(id, containing: "❯")
            try await api.input(id, "SAY remember-the-rook")
            try await api.waitForScreen(id, containing: "● remember-the-rook")

            try await api.waitFor(id, lifecycle: .parked)
            let parked = try await api.session(id)
            #expect(parked["reason"]?.string == "idle")
            try await eventually("the processes to be gone") { rookery.processes(of: id).isEmpty ? true : nil }

            // Reading wakes nothing.
            #expect(try await api.get("/v1/sessions/\(id)/idle").status == 200)
            #expect(try await api.session(id)["lifecycle"]?.string == "parked")

            try await api.input(id, "RECALL")
            try await api.waitForScreen(id, containing: "SAY remember-the-rook")
            #expect(try await api.session(id)["incarnation"]?.integer == 2)
        }
    }

    @Test func aStoppedSessionStartsOnlyByResume() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create()
            try await api.waitForScreen(id, containing: "❯")
            try await api.input(id, "SAY before-the-stop")
            try await api.waitForScreen(id, containing: "● before-the-stop")
            #expect(try await api.post("/v1/sessions/\(id)/stop").status == 200)
            try await api.waitFor(id, lifecycle: .stopped)

            let refused = try await api.post("/v1/sessions/\(id)/input", ["text": "hello"])
            #expect(refused.status == 409)
            #expect(refused.json["code"]?.string == "wrong_state")

            #expect(try await api.post("/v1/sessions/\(id)/resume").status == 200)
            try await api.waitFor(id, lifecycle: .running)
            try await api.waitForScreen(id, containing: "before-the-stop")
        }
    }

    @Test func deletingLeavesNothing() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create()
            #expect(try await api.delete("/v1/sessions/\(id)").status == 204)
            #expect(try await api.get("/v1/sessions/\(id)").status == 404)
            #expect(rookery.leftovers().filter { $0.contains(id) } == [])
        }
    }
}
