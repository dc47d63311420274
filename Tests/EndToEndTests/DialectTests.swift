import EndToEndSupport
import Foundation
import NIOHTTP1
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
            #expect(sessions.first?["kind"] == "structured")
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

    @Test func theModelSpeaksToClaudeSocketsClientsByItsTools() async throws {
        try await Rookery.with(RookeryOptions(auth: "none")) { rookery in
            let client = try await WebSocketClient(rookery.address, path: "/?session=tools&echo=1")
            let text = #"TOOL mcp__claude-socket__reply {"chat_id":"tools","text":"on my way"}"#
            try await client.send(["type": "message", "content": .string(text)])
            let reply = try await client.waitForMessage(type: "reply") { $0["content"] == "on my way" }
            #expect(reply["session_id"] == "tools")
            let id = try #require(try await rookery.api.sessions().first?["id"]?.string)
            rookery.created.add(id)
            let told = try #require(reply["message_id"]?.string)
            // The tool's answer comes back to the model, with the id under which the message went out.
            try await rookery.api.waitFor(id, activity: .idle)
            let transcript = try await rookery.api.get("/v1/sessions/\(id)/transcript?limit=500").text
            #expect(transcript.contains("sent (id: \(told))"), "\(transcript)")

            try await client.send([
                "type": "message",
                "content": #"TOOL mcp__claude-socket__status {"chat_id":"tools","status":"reading","detail":"files"}"#,
            ])
            let status = try await client.waitForMessage(type: "status") { $0["status"] == "reading" }
            #expect(status["detail"] == "files")
            // What is said to a turn that runs becomes part of it, and the scripted model makes nothing of that.
            try await rookery.api.waitFor(id, activity: .idle)
            try await client.send([
                "type": "message",
                "content": #"TOOL mcp__claude-socket__fetch_messages {"session_id":"tools","limit":100}"#,
            ])
            try await eventually("what was said, told to the model") {
                let all = try await rookery.api.get("/v1/sessions/\(id)/transcript?limit=500").text
                return all.contains("assistant: on my way") ? true : nil
            }
            // Nobody was asked, and what is said is in everybody's history.
            #expect(await client.messages.allSatisfy { $0["type"] != "permission_request" })
            let late = try await WebSocketClient(rookery.address, path: "/?session=tools")
            let history = try await ask(late, ["type": "fetch_history", "limit": 100], for: "history")
            #expect(history["messages"]?.array?.contains { $0["content"] == "on my way" } == true, "\(history)")
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
            #expect(try await rookery.api.session(id)["kind"] == "structured")
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

    @Test func aCompanionBrowserSteersTheProgram() async throws {
        try await Rookery.with(RookeryOptions(auth: "none")) { rookery in
            let id = try await rookery.api.create(["kind": "structured"])
            let browser = try await WebSocketClient(rookery.address, path: "/ws/browser/\(id)")
            _ = try await browser.waitForMessage(type: "session_init")
            // One pixel.
            let picture =
                "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
            try await browser.send([
                "type": "user_message", "content": "SAY what-I-see",
                "images": [["media_type": "image/png", "data": .string(picture)]],
            ])
            _ = try await browser.waitForMessage(type: "assistant") { text(of: $0).contains("what-I-see") }
            _ = try await browser.waitForMessage(type: "result")
            try await browser.send(["type": "set_model", "model": "claude-haiku-4-5"])
            _ = try await browser.waitForMessage(type: "session_update") {
                $0["session"]?["model"] == "claude-haiku-4-5"
            }
            try await browser.send(["type": "set_permission_mode", "mode": "plan"])
            _ = try await browser.waitForMessage(type: "session_update") {
                $0["session"]?["permissionMode"] == "plan"
            }
            try await browser.send(["type": "set_permission_mode", "mode": "default"])
            _ = try await browser.waitForMessage(type: "session_update") {
                $0["session"]?["permissionMode"] == "default"
            }
            try await browser.send(["type": "set_permission_mode", "mode": "bypassPermissions"])
            _ = try await browser.waitForMessage(type: "error")
            try await browser.send(["type": "mcp_get_status"])
            #expect(try await browser.waitForMessage(type: "mcp_status")["servers"] == [])

            try await browser.send(["type": "user_message", "content": "BASH touch as-asked"])
            let asked = try await browser.waitForMessage(type: "permission_request")
            try await browser.send([
                "type": "permission_response", "request_id": asked["request"]?["request_id"] ?? "",
                "behavior": "allow", "updated_input": ["command": "touch as-changed"],
            ])
            _ = try await browser.waitForMessage(type: "permission_cancelled")
            let made = rookery.path("/workspace/as-changed", of: id)
            try await eventually("the tool to have run") { FileManager.default.fileExists(atPath: made) ? true : nil }
            #expect(!FileManager.default.fileExists(atPath: rookery.path("/workspace/as-asked", of: id)))
            // Else the turn that runs takes what comes next along.
            try await browser.waitForMessages(2, type: "result")

            try await browser.send(["type": "user_message", "content": "DRIP 100 0.3"])
            _ = try await browser.waitForMessage(type: "stream_event") {
                $0["event"]?["delta"]?["text"]?.string?.contains("drip") ?? false
            }
            try await browser.send(["type": "interrupt"])
            _ = try await browser.waitForMessage(type: "result") { $0["data"]?["subtype"] == "error_during_execution" }
            await browser.close()
        }
    }

    @Test func echokitsKeysMeanTheirDecisionsInAStructuredSession() async throws {
        try await Rookery.with(RookeryOptions(auth: "none")) { rookery in
            let api = rookery.api
            let id = try await api.create(["kind": "structured"])
            func send(_ message: JSONValue) async throws { _ = try await api.post("/api/\(id)/input", message) }
            for (key, file, isMade) in [("confirm", "yes", true), ("cancel", "no", false)] {
                try await send(["type": "input", "input": .string("BASH touch \(file)")])
                try await api.waitFor(id, activity: .pending)
                try await send(["type": .string(key)])
                try await api.waitFor(id, activity: .idle)
                let path = rookery.path("/workspace/\(file)", of: id)
                #expect(FileManager.default.fileExists(atPath: path) == isMade)
            }
            let question =
                #"TOOL AskUserQuestion {"questions":[{"question":"Which?","header":"H","multiSelect":false,"#
                + #""options":[{"label":"Red","description":"r"},{"label":"Blue","description":"b"}]}]}"#
            let client = try await StreamClient(api, id)
            try await send(["type": "input", "input": .string(question)])
            try await api.waitFor(id, activity: .pending)
            try await send(["type": "select", "index": 1])
            let output = try await client.event(.toolCompleted)["output"]?.string
            #expect(output?.contains("Blue") == true, "\(output ?? "-")")
            await client.close()
        }
    }

    @Test func claudeRemotesPhoneAnswersASessionHere() async throws {
        try await Rookery.with(RookeryOptions(auth: "none")) { rookery in
            let api = rookery.api
            let id = try await api.create(["kind": "structured"])
            try await api.input(id, "BASH touch by-phone")
            try await api.waitFor(id, activity: .pending)
            let open = try await api.get("/v1/permissions").json["items"]?.array?.first?["id"]?.string
            let approved = try await api.post("/api/prompts/\(try #require(open))/approve")
            #expect(approved.status == 200, "\(approved.text)")
            let number = try #require(approved.json["prompt"]?["id"]?.integer)
            try await api.waitFor(id, activity: .idle)
            #expect(FileManager.default.fileExists(atPath: rookery.path("/workspace/by-phone", of: id)))
            let late = try await api.post("/api/prompts/\(number)/reject")
            #expect(late.status == 409, "\(late.text)")
        }
    }

    @Test func agentapiTalksToAStructuredSession() async throws {
        try await Rookery.with(RookeryOptions(auth: "none")) { rookery in
            let api = rookery.api
            let id = try await api.create(["kind": "structured"])
            let root = "/sessions/\(id)/agentapi"
            func status(_ wanted: String) async throws {
                try await eventually("the status '\(wanted)'") {
                    try await api.get(root + "/status").json["status"]?.string == wanted ? true : nil
                }
            }
            try await status("stable")
            #expect(try await api.get(root + "/status").json["transport"] == "acp")
            // More than a piece of it.
            let content = String(repeating: "0123456789abcdef", count: 100_000)
            let form =
                "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n\(content)\r\n--b--\r\n"
            let uploaded = try await api.send(
                .POST, root + "/upload", body: Data(form.utf8),
                headers: [("content-type", "multipart/form-data; boundary=b")])
            let path = try #require(uploaded.json["filePath"]?.string, "\(uploaded.text)")
            #expect(path.hasPrefix("/workspace/uploads/") && path.hasSuffix("/a.txt"), "\(path)")
            #expect(try String(contentsOfFile: rookery.path(path, of: id), encoding: .utf8) == content)
            // The session's own: its tools read it and change it.
            try await api.input(id, "BASH echo more >> \(path)")
            try await allow(api, id)
            try await eventually("the file to have grown") {
                try String(contentsOfFile: rookery.path(path, of: id), encoding: .utf8) == content + "more\n"
                    ? true : nil
            }
            try await status("stable")
            let sent = try await api.post(root + "/message", ["content": "DRIP 100 0.3", "type": "user"])
            #expect(sent.json == ["ok": true])
            try await status("running")
            let busy = try await api.post(root + "/message", ["content": "SAY too-early", "type": "user"])
            #expect(busy.status == 500)
            // Escape.
            #expect(try await api.post(root + "/message", ["content": "\u{1b}", "type": "raw"]).status == 200)
            try await status("stable")
            #expect(try await api.post(root + "/message", ["content": "x", "type": "raw"]).status == 500)
            _ = try await api.post(root + "/message", ["content": "SAY to-a-script", "type": "user"])
            try await eventually("the answer") {
                let messages = try await api.get(root + "/messages").json["messages"]?.array ?? []
                return messages.contains { $0["content"]?.string?.contains("to-a-script") == true } ? true : nil
            }
        }
    }

    private func allow(_ api: APIClient, _ id: String) async throws {
        let asked = try await eventually("a permission") {
            try await api.get("/v1/sessions/\(id)/permissions").json["items"]?.array?.first?["id"]?.string
        }
        _ = try await api.post("/v1/sessions/\(id)/permissions/\(asked)", ["decision": "allow"])
    }

    /// A client of Companion's embedded terminal: `web/src/terminal-ws.ts` of it says no more than this.
    @Test func companionsTerminalTypesAndSees() async throws {
        try await Rookery.with(RookeryOptions(auth: "none")) { rookery in
            let id = try await rookery.api.create()
            let browser = try await WebSocketClient(rookery.address, path: "/ws/terminal/\(id)")
            try await browser.send(["type": "resize", "cols": 90, "rows": 30])
            try await eventually("its size") {
                let session = try await rookery.api.session(id)
                return session["size"]?["cols"] == 90 && session["size"]?["rows"] == 30 ? true : nil
            }
            try await rookery.api.waitFor(id, activity: .idle)
            try await browser.send(["type": "input", "data": "SAY seen-by-companion"])
            try await Task.sleep(for: .milliseconds(300))
            try await browser.send(["type": "input", "data": "\r"])
            try await eventually("the answer on the terminal") {
                await browser.text.components(separatedBy: "seen-by-companion").count > 2 ? true : nil
            }
            for wrong in ["nonsense", #"{"type":"resize","cols":-1}"#, #"{"type":"x"}"#] {
                try await browser.send(text: wrong)
                _ = try await browser.waitForMessage(type: "error")
            }
            #expect(try await rookery.api.post("/v1/sessions/\(id)/stop").status == 200)
            let exit = try await browser.waitForMessage(type: "exit")
            #expect(exit["exitCode"] != nil)
            await browser.close()

            // Structured sessions have none.
            let structured = try await rookery.api.create(["kind": "structured"])
            await #expect(throws: (any Error).self) {
                try await WebSocketClient(rookery.address, path: "/ws/terminal/\(structured)")
            }
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
