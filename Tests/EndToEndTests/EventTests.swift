import AsyncHTTPClient
import EndToEndSupport
import Foundation
import NIOCore
import NIOHTTP1
import SessionCore
import Testing

/// What a watcher sees: SSE events in order, and the terminal over its WebSocket.
@Suite(.serialized) struct EventTests {
    @Test func aTurnIsToldInOrder() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create()
            try await api.waitForScreen(id, containing: "❯")
            try await api.waitFor(id, activity: .idle)
            async let told = api.events("/v1/sessions/\(id)/events?since=0") { events in
                events.contains { $0["type"]?.string == "turn.completed" }
            }
            try await api.input(id, "SAY told-in-order")
            let events = try await told
            let types = events.compactMap { $0["type"]?.string }
            let numbers = events.compactMap { $0["seq"]?.integer }
            #expect(numbers == numbers.sorted())
            #expect(Set(numbers).count == numbers.count)
            for wanted in ["session.running", "input.accepted", "turn.started", "turn.completed"] {
                #expect(types.contains(wanted), "\(wanted) in \(types)")
            }
            let accepted = try #require(types.firstIndex(of: "input.accepted"))
            let started = try #require(types.firstIndex(of: "turn.started"))
            #expect(accepted < started)

            // Reading again from the middle gives the same events.
            let middle = numbers[numbers.count / 2]
            let again = try await api.events("/v1/sessions/\(id)/events?since=\(middle)") { events in
                events.contains { $0["type"]?.string == "turn.completed" }
            }
            #expect(again.first?["seq"]?.integer == numbers.first { $0 > middle })
        }
    }

    /// Only Claude Code's hooks know what a question is about.
    @Test func whatClaudeCodesHooksReportIsTold() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create()
            try await api.waitForScreen(id, containing: "❯")
            try await api.waitFor(id, activity: .idle)
            async let told = api.events("/v1/sessions/\(id)/events?since=0") { events in
                events.contains { $0["type"]?.string == "turn.completed" }
            }
            try await api.input(id, "BASH touch asked-first")
            try await api.waitForScreen(id, containing: "Do you want to proceed?")
            try await api.waitFor(id, activity: .pending)
            let terminal = try await api.terminal(id)
            _ = try await terminal.waitForMessage(type: "snapshot")
            try await Task.sleep(for: .seconds(1))
            try await terminal.type("\r")
            let events = try await told
            await terminal.close()

            func data(_ type: String) -> JSONValue? { events.first { $0["type"]?.string == type }?["data"] }
            #expect(data("turn.started")?["prompt"]?.string == "BASH touch asked-first")
            let asked = try #require(data("permission.requested"), "\(events)")
            #expect(asked["tool_name"]?.string == "Bash")
            #expect(asked["tool_input"]?["command"]?.string == "touch asked-first")
            #expect(data("permission.resolved")?["resolution"]?.string == "allowed")
            #expect(data("tool.started")?["tool_use_id"] == data("tool.completed")?["tool_use_id"])
            #expect(data("tool.completed")?["is_error"]?.bool == false)
        }
    }

    @Test func theTerminalStreamsAndALateClientSeesTheScreen() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create()
            let first = try await api.terminal(id)
            _ = try await first.waitForMessage(type: "snapshot")
            try await api.waitForScreen(id, containing: "❯")
            try await api.waitFor(id, activity: .idle)
            try await first.type("SAY over-the-socket")
            try await api.waitForScreen(id, containing: "SAY over-the-socket")
            try await first.type("\r")
            try await first.waitForText("over-the-socket")
            try await api.waitForScreen(id, containing: "● over-the-socket")

            let second = try await api.terminal(id, mode: "view")
            let snapshot = try await second.waitForMessage(type: "snapshot")
            let data = try #require(snapshot["data"]?.string.flatMap { Data(base64Encoded: $0) })
            #expect(String(decoding: data, as: UTF8.self).contains("over-the-socket"))

            try await second.type("x")
            _ = try await second.waitForMessage(type: "error")
            await first.close()
            await second.close()
        }
    }

    @Test func refusedSystemCallsAreCountedAndTold() async throws {
        var options = RookeryOptions()
        let script = FileManager.default.temporaryDirectory.appending(path: "rk-violations-\(UUID().uuidString)")
        try Data("#!/bin/sh\nsleep 1\nunshare -U true\nunshare -U true\nsleep 600\n".utf8).write(to: script)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script.path)
        defer { try? FileManager.default.removeItem(at: script) }
        options.startCommand = script.path
        try await Rookery.with(options) { rookery in
            let api = rookery.api
            let id = try await api.create()
            let events = try await api.events("/v1/sessions/\(id)/events?since=0") { events in
                events.contains { $0["type"]?.string == "policy.violation" }
            }
            let violation = try #require(events.first { $0["type"]?.string == "policy.violation" })
            #expect(violation["data"]?["call"]?.string == "unshare")
            // The worker answered: EPERM and not ENOSYS.
            try await api.waitForScreen(id, containing: "Operation not permitted")
        }
    }

    @Test func parkingIsAnnouncedAndAttachingWithWakeBringsTheSessionBack() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(["idle_timeout": "5s"])
            let client = try await api.terminal(id)
            _ = try await client.waitForMessage(type: "reap_warning")
            _ = try await client.waitForMessage(type: "exit")
            try await api.waitFor(id, lifecycle: .parked)
            await client.close()

            let unwoken = try await api.get("/v1/sessions/\(id)/screen")
            #expect(unwoken.status == 409)
            let back = try await api.terminal(id, wake: true)
            _ = try await back.waitForMessage(type: "snapshot")
            try await api.waitFor(id, lifecycle: .running)
            await back.close()
        }
    }
}
