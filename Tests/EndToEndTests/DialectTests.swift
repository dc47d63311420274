import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// Clients of the protocols that Rookery speaks besides its own, each against a complete installation with the real
/// Claude Code behind.
@Suite(.serialized) struct DialectTests {
    @Test func aClaudeSocketClientTalksAndApproves() async throws {
        try await Rookery.with(RookeryOptions(auth: "none")) { rookery in
            let client = try await WebSocketClient(rookery.address, path: "/?session=phone&echo=1")
            try await client.send(["type": "message", "session_id": "phone", "content": "SAY echo-from-model"])
            let history = try await ask(client, ["type": "fetch_history", "session_id": "phone"], for: "history")
            #expect(history["messages"]?.array?.count == 1)
            let reply = try await client.waitForMessage(type: "reply")
            #expect(reply["content"]?.string?.contains("echo-from-model") == true)
            #expect(reply["session_id"] == "phone")
            _ = try await client.waitForMessage(type: "status") { $0["status"] == "idle" }
            let sessions = try await rookery.api.sessions()
            #expect(sessions.map { $0["name"]?.string } == ["claude-socket phone"])
            let id = try #require(sessions.first?["id"]?.string)
            rookery.created.add(id)

            try await client.send(["type": "message", "session_id": "phone", "content": "BASH touch by-phone"])
            let asked = try await client.waitForMessage(type: "permission_request")
            #expect(asked["tool_name"] == "Bash")
            #expect(asked["input_preview"]?.string?.contains("touch by-phone") == true)
            let late = try await WebSocketClient(rookery.address, path: "/?session=phone")
            _ = try await late.waitForMessage(type: "permission_request")
            try await late.send([
                "type": "permission_response", "request_id": asked["request_id"] ?? "", "allowed": true,
            ])
            let resolved = try await client.waitForMessage(type: "permission_resolved")
            #expect(resolved["behavior"] == "allow")
            let made = rookery.path("/workspace/by-phone", of: id)
            try await eventually("the tool to have run") {
                FileManager.default.fileExists(atPath: made) ? true : nil
            }
            let all = try await ask(late, ["type": "fetch_history", "limit": 100], for: "history")
            let contents = all["messages"]?.array?.compactMap { $0["content"]?.string } ?? []
            #expect(contents.prefix(1) == ["SAY echo-from-model"])
            #expect(contents.filter { $0 == "BASH touch by-phone" }.count == 1, "said once: \(contents)")
            await late.close()
            await client.close()
        }
    }

    @Test func aCompanionBrowserComesBackAfterARestartAndMissesNothing() async throws {
        try await Rookery.with(RookeryOptions(auth: "none")) { rookery in
            let made = try await rookery.api.post("/api/sessions/create", ["cwd": "/x"])
            #expect(made.status == 201)
            let id = try #require(made.json["sessionId"]?.string)
            rookery.created.add(id)
            let browser = try await WebSocketClient(rookery.address, path: "/ws/browser/\(id)")
            _ = try await browser.waitForMessage(type: "session_init")
            for _ in 0..<2 {
                try await browser.send(["type": "user_message", "content": "SAY first-answer", "client_msg_id": "m1"])
            }
            _ = try await browser.waitForMessage(type: "assistant") { text(of: $0).contains("first-answer") }
            let result = try await browser.waitForMessage(type: "result")
            #expect(result["data"]?["subtype"] == "success")
            let numbers = await browser.messages.compactMap { $0["seq"]?.integer }
            #expect(numbers == numbers.sorted() && Set(numbers).count == numbers.count)
            let echoes = await browser.messages.filter { $0["type"] == "user_message" }
            #expect(echoes.count == 1, "the same message twice is one")
            let last = try #require(numbers.last)
            await browser.close()

            // What it misses, a supervisor that never saw it must have too.
            try await rookery.api.input(id, "SAY while-away")
            try await eventually("the answer") {
                let transcript = try await rookery.api.get("/v1/sessions/\(id)/transcript?limit=500")
                return transcript.text.contains("while-away\\\"") || transcript.text.contains("\"text\":\"while-away")
                    ? true : nil
            }
            await rookery.endSupervisor(signal: SIGKILL)
            try await rookery.restartIfDead()
            let back = try await WebSocketClient(rookery.address, path: "/ws/browser/\(id)")
            _ = try await back.waitForMessage(type: "message_history")
            try await back.send(["type": "session_subscribe", "last_seq": .integer(last)])
            let replay = try await back.waitForMessage(type: "event_replay")
            let missed = replay["events"]?.array ?? []
            #expect(missed.allSatisfy { $0["seq"]?.integer ?? 0 > last })
            #expect(missed.filter { text(of: $0["message"] ?? .null).contains("while-away") }.count == 1)

            try await back.send(["type": "user_message", "content": "BASH touch by-browser"])
            let asked = try await back.waitForMessage(type: "permission_request")
            try await back.send([
                "type": "permission_response", "request_id": asked["request"]?["request_id"] ?? "",
                "behavior": "deny", "message": "no",
            ])
            _ = try await back.waitForMessage(type: "permission_cancelled")
            #expect(!FileManager.default.fileExists(atPath: rookery.path("/workspace/by-browser", of: id)))
            #expect(try await rookery.api.post("/api/sessions/\(id)/kill").json["ok"] == true)
            _ = try await back.waitForMessage(type: "cli_disconnected")
            await back.close()
        }
    }

    @Test func agentapiTalksToASession() async throws {
        try await Rookery.with(RookeryOptions(auth: "none")) { rookery in
            let api = rookery.api
            let id = try await api.create()
            let root = "/sessions/\(id)/agentapi"
            try await eventually("the agent to be stable") {
                try await api.get(root + "/status").json["status"] == "stable" ? true : nil
            }
            try await api.waitForScreen(id, containing: "❯")
            let sent = try await api.post(root + "/message", ["content": "SAY to-a-script", "type": "user"])
            #expect(sent.json == ["ok": true])
            try await eventually("the answer") {
                let messages = try await api.get(root + "/messages").json["messages"]?.array ?? []
                return messages.contains {
                    $0["role"] == "agent" && $0["content"]?.string?.contains("to-a-script") == true
                }
                    ? true : nil
            }
        }
    }

    @Test func whoSpeaksInCommandsIsAnswered() async throws {
        try await Rookery.with(RookeryOptions(auth: "none")) { rookery in
            let id = SessionID().description
            rookery.created.add(id)
            let client = try await WebSocketClient(rookery.address, path: "/ws?id=\(id)")
            try await client.send(["type": "command", "content": "SAY as-a-response"])
            let response = try await client.waitForMessage(type: "response")
            #expect(response["content"]?.string?.contains("as-a-response") == true)
            #expect(response["done"] == true)
            await client.close()
        }
    }

    private func ask(_ client: WebSocketClient, _ message: JSONValue, for type: String) async throws -> JSONValue {
        let before = await client.messages.count
        try await client.send(message)
        return try await eventually("a '\(type)' message") {
            await client.messages.dropFirst(before).first { $0["type"]?.string == type }
        }
    }

    private func text(of message: JSONValue) -> String {
        (message["message"]?["content"]?.array ?? []).compactMap { $0["text"]?.string }.joined()
    }
}
