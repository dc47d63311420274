import Dialects
import Foundation
import Registry
import SessionCore
import Supervisor
import Testing

@testable import API

/// claude-remote's CLIs on the wire, and who answers them (seed-protocols 4).
@Suite(.timeLimit(.minutes(2))) struct ClaudeRemoteWireTests {
    private func run(_ body: @Sendable (ServerFixture, SessionRegistry, Principal) async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let registry = try SessionRegistry(directory: directory.path + "/state")
        let principal = try await registry.localAdmin()
        try await ServerFixture.run(authentication: .none(principal), remote: registry) { server in
            try await body(server, registry, principal)
        }
    }

    private func call(_ server: ServerFixture, _ method: String, _ path: String, _ body: String = "")
        async throws -> (status: Int, json: JSONValue)
    {
        let client = try await RawClient(port: server.port)
        try await client.send(
            "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
        let answer = try await client.receiveAll()
        let parts = answer.components(separatedBy: "\r\n\r\n")
        let status = Int(answer.split(separator: " ").dropFirst().first ?? "") ?? 0
        return (status, parts.count > 1 ? (try? JSONReader.parse(parts[1].utf8)) ?? .null : .null)
    }

    private func enrol(_ server: ServerFixture) async throws -> (id: Int64, secret: Data) {
        let code = try await call(server, "POST", "/v1/devices", #"{"name":"laptop"}"#)
        let text = try #require(code.json["code"]?.string)
        let made = try await call(server, "POST", "/v1/devices/enrol", #"{"code":"\#(text)"}"#)
        #expect(made.status == 201)
        #expect(try await call(server, "POST", "/v1/devices/enrol", #"{"code":"\#(text)"}"#).status == 401)
        let secret = try #require(made.json["secret"]?.string.flatMap { Data(base64Encoded: $0) })
        return (try #require(made.json["id"]?.integer), secret)
    }

    private func auth(_ secret: Data, nonce: String, session: Int64? = nil) -> String {
        let time = Int64(Date().timeIntervalSince1970 * 1000)
        let signature = ClaudeRemoteProof.sign("\(time).\(nonce).", secret: secret).base64EncodedString()
        let more = session.map { #","session_id":\#($0)"# } ?? ""
        return
            #"{"type":"auth","device":"laptop","timestamp":\#(time),"nonce":"\#(nonce)","signature":"\#(signature)","cwd":"/w","command":"claude"\#(more)}"#
    }

    @Test func aCLIDialsInAsksAndIsAnswered() async throws {
        try await run { server, registry, principal in
            let device = try await enrol(server)
            let events = try await RawClient(port: server.port)
            try await events.send("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            _ = try await events.receive(until: "retry: ")
            let cli = try await DialectClient(server.port, "/ws")
            let welcome = try await cli.ask(auth(device.secret, nonce: "a"))
            #expect(welcome["type"] == "auth_ok")
            let session = try #require(welcome["session_id"]?.integer)
            #expect(try await events.receive(until: "}").contains("event: session_start"))
            try await cli.send(#"{"type":"output","data":"\u001b[1mhello\u001b[0m\r\nwor"}"#)
            #expect(try await events.receive(until: "}").contains("event: output"))
            try await eventually("the log") { try await registry.output(of: session, limit: 10) == ["hello"] }
            try await cli.send(#"{"type":"prompt","prompt_text":"Run ls?"}"#)
            #expect(try await events.receive(until: "}").contains("Run ls?"))
            let list = try await call(server, "GET", "/api/sessions").json.array ?? []
            #expect(list.first?["active"] == true)
            #expect(list.first?["pending_prompts"] == 1)
            #expect(list.first?["cwd"] == "/w")
            let approved = try await call(server, "POST", "/api/prompts/1/approve")
            #expect(approved.status == 200)
            #expect(approved.json["prompt"]?["response"] == "approve")
            #expect(try await cli.next() == ["type": "input", "data": "1\r"])
            #expect(try await events.receive(until: "}").contains("event: prompt_response"))
            let second = try await call(server, "POST", "/api/prompts/1/reject")
            #expect(second.status == 409)
            #expect(second.json["prompt"]?["response"] == "approve")
            #expect(try await call(server, "POST", "/api/prompts/99/approve").status == 404)
            try await cli.send(#"{"type":"prompt","prompt_text":"Which?"}"#)
            try await eventually("the second prompt") {
                try await registry.prompt(2, visibleTo: principal) != nil
            }
            #expect(
                try await call(server, "POST", "/api/prompts/2/answer", #"{"type":"option","value":2}"#).status == 200)
            #expect(try await cli.next("input")["data"] == "2\n")
            try await cli.send(#"{"type":"prompt","prompt_text":"Too late"}"#)
            try await cli.send(#"{"type":"exit","code":0}"#)
            #expect(try await events.receive(until: "exit_code").contains("event: session_end"))
            #expect(try await registry.output(of: session, limit: 10) == ["hello", "wor"])
            #expect(try await call(server, "POST", "/api/prompts/3/approve").status == 410)
        }
    }

    @Test func whatASessionHereAsksIsToldAndAnsweredToo() async throws {
        try await run { server, _, _ in
            let id = await server.sessions.add()
            func permission(_ name: String) -> JSONValue {
                [
                    "id": .string(name), "kind": "tool", "tool_name": "Bash", "tool_input": ["command": "ls"],
                    "visible": "command: ls",
                ]
            }
            await server.sessions.ask(SessionPermission(session: id, name: nil, owner: "ann", data: permission("p")))
            let events = try await RawClient(port: server.port)
            try await events.send("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            let opening = try await events.receive(until: "command: ls")
            #expect(opening.contains("event: prompt\n"))
            let number = ClaudeRemotePrompt.number(id, "p")
            #expect(opening.contains("\"id\":\(number),"))
            let approved = try await call(server, "POST", "/api/prompts/\(number)/approve")
            #expect(approved.status == 200)
            #expect(approved.json["prompt"]?["response"] == "approve")
            #expect(approved.json["prompt"]?["session_id"]?.string == id.description)
            await server.sessions.emit(id, 1, .permissionResolved, ["id": "p", "resolution": "allowed"])
            #expect(try await events.receive(until: "approve").contains("event: prompt_response"))
            let late = try await call(server, "POST", "/api/prompts/\(number)/reject")
            #expect(late.status == 409)
            #expect(late.json["prompt"]?["response"] == "approve")
            #expect(late.json["by"] == "ann")

            await server.sessions.emit(id, 2, .permissionRequested, permission("q"))
            #expect(try await events.receive(until: "command: ls").contains("event: prompt\n"))
            let words = #"{"type":"text","value":"use cat"}"#
            #expect(
                try await call(server, "POST", "/api/prompts/\(ClaudeRemotePrompt.number(id, "q"))/answer", words)
                    .status == 200)
            #expect(
                await server.sessions.calls.filter { $0.hasPrefix("answer") } == [
                    "answer p allow -", "answer p deny -", "answer q deny use cat",
                ])
            #expect(try await call(server, "POST", "/api/prompts/nonsense/approve").status == 404)
        }
    }

    @Test func aReplayedOrForgedSignatureIsRefusedWithoutAWord() async throws {
        try await run { server, _, _ in
            let device = try await enrol(server)
            let text = auth(device.secret, nonce: "n")
            let cli = try await DialectClient(server.port, "/ws")
            #expect(try await cli.ask(text)["type"] == "auth_ok")
            for bad in [text, auth(Data(repeating: 7, count: 32), nonce: "m"), #"{"type":"auth"}"#] {
                let other = try await DialectClient(server.port, "/ws")
                try await other.send(bad)
                let frame = try await other.raw.receiveFrame()
                #expect(frame.opcode == 8)
                #expect(frame.payload.prefix(2) == [0x03, 0xF0], "1008")
            }
        }
    }

    @Test func aLostConnectionIsContinued() async throws {
        try await run { server, _, _ in
            let device = try await enrol(server)
            let cli = try await DialectClient(server.port, "/ws")
            let session = try #require(try await cli.ask(auth(device.secret, nonce: "a"))["session_id"]?.integer)
            let again = try await DialectClient(server.port, "/ws")
            #expect(
                try await again.ask(auth(device.secret, nonce: "b", session: session))["session_id"]?.integer == session
            )
            #expect(try await cli.raw.receiveFrame().opcode == 8, "the old connection is closed")
            let other = try await DialectClient(server.port, "/ws")
            #expect(try await other.ask(auth(device.secret, nonce: "c", session: 99))["session_id"]?.integer != session)
        }
    }

    @Test func numberedOutputCountsOnceAndAnAnswerAtTheTerminalClosesThePrompt() async throws {
        try await run { server, registry, _ in
            let device = try await enrol(server)
            let cli = try await DialectClient(server.port, "/ws")
            let first = try await cli.ask(auth(device.secret, nonce: "a"))
            #expect(first["received"] == .null)
            let session = try #require(first["session_id"]?.integer)
            try await cli.send(#"{"type":"output","data":"one\n","seq":1}"#)
            try await cli.send(#"{"type":"output","data":"two\n","seq":2}"#)
            try await eventually("the log") { try await registry.output(of: session, limit: 9).count == 2 }
            let again = try await DialectClient(server.port, "/ws")
            #expect(try await again.ask(auth(device.secret, nonce: "b", session: session))["received"] == 2)
            try await again.send(#"{"type":"output","data":"two\n","seq":2}"#)
            try await again.send(#"{"type":"output","data":"three\n","seq":3}"#)
            try await eventually("the log") {
                try await registry.output(of: session, limit: 9) == ["one", "two", "three"]
            }
            func waitUntilAsking(_ count: Int) async throws {
                try await eventually("\(count) prompts") {
                    try await call(server, "GET", "/api/sessions").json.array?.first?["pending_prompts"]
                        == .integer(Int64(count))
                }
            }
            try await again.send(#"{"type":"prompt","prompt_text":"Run ls?"}"#)
            try await waitUntilAsking(1)
            try await again.send(#"{"type":"prompt_closed"}"#)
            try await waitUntilAsking(0)
            let late = try await call(server, "POST", "/api/prompts/1/approve")
            #expect(late.status == 409)
            #expect(late.json["prompt"]?["response"] == "terminal")
        }
    }

    @Test func badMessagesAreAnsweredAndTheSessionStays() async throws {
        try await run { server, _, _ in
            let device = try await enrol(server)
            let cli = try await DialectClient(server.port, "/ws")
            _ = try await cli.ask(auth(device.secret, nonce: "a"))
            for text in [
                "nonsense", #"{"type":"output"}"#, #"{"type":"nonsense"}"#, #"{"type":"resize","cols":"x","rows":1}"#,
            ] {
                #expect(try await cli.ask(text)["type"] == "error")
            }
            #expect(try await call(server, "GET", "/api/sessions").json.array?.first?["active"] == true)
        }
    }

    @Test func aRemovedDeviceIsDisconnected() async throws {
        try await run { server, _, _ in
            let device = try await enrol(server)
            let cli = try await DialectClient(server.port, "/ws")
            _ = try await cli.ask(auth(device.secret, nonce: "a"))
            #expect(try await call(server, "DELETE", "/v1/devices/\(device.id)").status == 204)
            let frame = try await cli.raw.receiveFrame()
            #expect(frame.opcode == 8)
            #expect(frame.payload.prefix(2) == [0x11, 0x31], "4401")
            #expect(try await call(server, "GET", "/api/sessions").json == [])
        }
    }

    @Test func withoutATokenOnlyACLIIsLetIn() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let registry = try SessionRegistry(directory: directory.path + "/state")
        try await ServerFixture.run(authentication: .token, remote: registry) { server in
            let stranger = try await DialectClient(server.port, "/ws")
            try await stranger.send(#"{"type":"command","content":"x"}"#)
            #expect(try await stranger.raw.receiveFrame().opcode == 8)
            #expect(await server.sessions.records.isEmpty)
            let page = try await RawClient(port: server.port)
            let head = try await page.upgrade("/ws", headers: ["Origin: http://evil.example"])
            #expect(head.hasPrefix("HTTP/1.1 401"))
        }
    }

    @Test func echokitsCommandsAreAnsweredOnTheSharedPath() async throws {
        try await ServerFixture.run { server in
            let id = SessionID()
            let client = try await DialectClient(server.port, "/ws?id=\(id)")
            #expect(try await client.ask("nonsense")["type"] == "session_error")
            try await client.send(#"{"type":"command","content":"run"}"#)
            try await eventually("the input") { await server.sessions.calls.contains { $0.hasPrefix("prompt run") } }
            await server.sessions.emit(id, 1, .messageAssistant, ["text": "one"])
            await server.sessions.emit(id, 2, .turnCompleted, ["outcome": "completed"])
            #expect(
                try await client.next()
                    == ["type": "response", "content": "one", "session_id": .string(id.description), "done": true])
        }
    }
}
