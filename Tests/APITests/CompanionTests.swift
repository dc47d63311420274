import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import SessionCore
import Supervisor
import Testing

@testable import API

/// Companion's browsers on the wire (seed-protocols 3).
@Suite(.timeLimit(.minutes(2))) struct CompanionTests {
    @Test func aBrowserIsToldWhatIsAndWhatHappens() async throws {
        try await ServerFixture.run { server in
            let id = await server.sessions.add()
            let client = try await DialectClient(server.port, "/ws/browser/\(id)")
            let first = try await client.next("session_init")
            #expect(first["session"]?["session_id"]?.string == id.description)
            try await client.send(#"{"type":"user_message","content":"hi","client_msg_id":"m1"}"#)
            try await client.send(#"{"type":"user_message","content":"hi","client_msg_id":"m1"}"#)
            try await client.send(#"{"type":"user_message","content":"again","client_msg_id":"m2"}"#)
            try await eventually("the inputs") {
                await server.sessions.calls.filter { $0.hasPrefix("prompt") }.count == 2
            }
            await server.sessions.emit(id, 5, .messageUser, ["text": "hi"])
            let echo = try await client.next("user_message")
            #expect(echo["content"] == "hi")
            #expect(echo["seq"] == 80)
            await server.sessions.emit(id, 6, .messageAssistant, ["text": "hello"])
            let answer = try await client.next("assistant")
            #expect(answer["message"]?["content"]?.array?.first?["text"] == "hello")
            // Another comes late: history, no doubles.
            let late = try await DialectClient(server.port, "/ws/browser/\(id)")
            _ = try await late.next("session_init")
            #expect(try await late.next("message_history")["messages"]?.array?.count == 2)
            try await late.send(#"{"type":"session_subscribe","last_seq":80}"#)
            let replay = try await late.next("event_replay")
            #expect(replay["events"]?.array?.map { $0["seq"] } == [96])
        }
    }

    @Test func afterAForcedGapComesTheHistory() async throws {
        try await ServerFixture.run { server in
            let id = await server.sessions.add()
            let client = try await DialectClient(server.port, "/ws/browser/\(id)")
            _ = try await client.next("session_init")
            for seq in 1...800 {
                await server.sessions.emit(id, UInt64(seq), .messageAssistant, ["text": .string("\(seq)")])
            }
            for _ in 1...800 { _ = try await client.next("assistant") }
            let back = try await DialectClient(server.port, "/ws/browser/\(id)")
            _ = try await back.next("message_history")
            try await back.send(#"{"type":"session_subscribe","last_seq":160}"#)
            #expect(try await back.next("message_history")["messages"]?.array?.count == 800)
            try await back.send(#"{"type":"session_subscribe","last_seq":\#(799 * 16)}"#)
            #expect(try await back.next("event_replay")["events"]?.array?.map { $0["seq"] } == [12800])
        }
    }

    @Test func aPermissionIsAnsweredOnceAndClearedEverywhere() async throws {
        try await ServerFixture.run { server in
            let id = await server.sessions.add()
            let one = try await DialectClient(server.port, "/ws/browser/\(id)")
            let two = try await DialectClient(server.port, "/ws/browser/\(id)?protocol=seed")
            _ = try await one.next("session_init")
            _ = try await two.next("session_init")
            await server.sessions.emit(
                id, 1, .permissionRequested, ["id": "p", "tool_name": "Bash", "tool_input": ["command": "ls"]])
            #expect(try await one.next("permission_request")["request"]?["request_id"] == "p")
            #expect(try await two.next("cli_message")["message"]?["request"]?["subtype"] == "can_use_tool")
            try await one.send(#"{"type":"permission_response","request_id":"p","behavior":"deny"}"#)
            try await eventually("the answer") { await server.sessions.calls.contains("answer p deny Denied by user") }
            await server.sessions.emit(id, 2, .permissionResolved, ["id": "p", "resolution": "denied"])
            #expect(try await one.next("permission_cancelled")["request_id"] == "p")
            #expect(try await two.next("cli_message")["message"]?["type"] == "control_cancel_request")
            let late = try await one.ask(#"{"type":"permission_response","request_id":"p","behavior":"allow"}"#)
            #expect(late["type"] == "error")
        }
    }

    @Test func whatABrowserAsksOfTheProgramIsDoneAsItIs() async throws {
        try await ServerFixture.run { server in
            let id = await server.sessions.add()
            let client = try await DialectClient(server.port, "/ws/browser/\(id)")
            _ = try await client.next("session_init")
            for text in [
                #"{"type":"set_model","model":"opus"}"#, #"{"type":"set_permission_mode","mode":"plan"}"#,
                #"{"type":"interrupt"}"#, #"{"type":"stop_task","task_id":"t"}"#,
                #"{"type":"user_message","content":"look","images":[{"media_type":"image/png","data":"aGk="}]}"#,
            ] { try await client.send(text) }
            try await eventually("the commands") { await server.sessions.calls.contains("prompt look - 1") }
            let commands = await server.sessions.calls.filter { $0.hasPrefix("command") }
            #expect(
                commands == [
                    "command set_model", "command set_permission_mode", "command interrupt", "command stop_task",
                ])
            for text in [
                #"{"type":"mcp_get_status"}"#, #"{"type":"mcp_toggle","serverName":"s","enabled":true}"#,
                #"{"type":"mcp_reconnect","serverName":"s"}"#,
            ] { #expect(try await client.ask(text)["servers"]?.array?.first?["name"] == "s") }
            let refused = try await client.ask(#"{"type":"set_permission_mode","mode":"bypassPermissions"}"#)
            #expect(refused["message"] == "the policy allows only default, plan")
            // What the program then says of itself.
            await server.sessions.emit(
                id, 3, .sessionSettings, ["model": "opus", "permission_mode": "plan", "title": "t", "commands": ["/x"]])
            let update = try await client.next("session_update")["session"]
            #expect(update == ["model": "opus", "permissionMode": "plan", "slash_commands": ["/x"]])
            #expect(try await client.next("session_name_update")["name"] == "t")
            let late = try await DialectClient(server.port, "/ws/browser/\(id)")
            let state = try await late.next("session_init")["session"]
            #expect(state?["model"] == "opus")
            #expect(state?["name"] == "t")
        }
    }

    @Test func anAnswerIsKeptForTheSessionAndChangesItsModeWhereTheBrowserWantsIt() async throws {
        try await ServerFixture.run { server in
            let id = await server.sessions.add()
            let client = try await DialectClient(server.port, "/ws/browser/\(id)")
            _ = try await client.next("session_init")
            for question in ["p", "q"] {
                await server.sessions.emit(
                    id, question == "p" ? 1 : 2, .permissionRequested,
                    ["id": .string(question), "tool_name": "Bash", "tool_input": ["command": "ls"]])
                _ = try await client.next("permission_request")
            }
            // Not in the order in which they were asked.
            try await client.send(
                #"{"type":"permission_response","request_id":"q","behavior":"allow","updated_permissions":[{"type":"addRules","rules":[]}]}"#
            )
            try await client.send(
                #"{"type":"permission_response","request_id":"p","behavior":"allow","updated_permissions":[{"type":"setMode","mode":"acceptEdits"}]}"#
            )
            try await eventually("the mode") {
                await server.sessions.calls.contains("command set_permission_mode")
            }
            #expect(
                await server.sessions.calls.filter { $0.hasPrefix("answer") } == [
                    "answer q allow - session", "answer p allow -",
                ])
            let late = try await client.ask(#"{"type":"permission_response","request_id":"p","behavior":"deny"}"#)
            #expect(late["message"] == "it was allowed by ann before")
        }
    }

    @Test func badMessagesAreAnsweredAndTheConnectionStays() async throws {
        try await ServerFixture.run { server in
            let id = await server.sessions.add()
            let client = try await DialectClient(server.port, "/ws/browser/\(id)")
            _ = try await client.next("session_init")
            for text in [
                "nonsense", "[]", #"{"type":"nonsense"}"#, #"{"type":"user_message"}"#,
                #"{"type":"permission_response","request_id":"x","behavior":"allow"}"#,
                #"{"type":"mcp_set_servers","servers":{}}"#,
            ] { #expect(try await client.ask(text)["type"] == "error") }
            try await client.raw.send(RawClient.frame(0x82, [1]))
            #expect(try await client.next()["type"] == "error")
            let unknown = try await RawClient(port: server.port)
            #expect(try await unknown.upgrade("/ws/browser/\(SessionID())").hasPrefix("HTTP/1.1 404"))
            let noID = try await RawClient(port: server.port)
            #expect(try await noID.upgrade("/ws/browser/abc").hasPrefix("HTTP/1.1 404"))
        }
    }

    private func rest(_ body: @Sendable @escaping (any TestClientProtocol, FakeSessions) async throws -> Void)
        async throws
    {
        let sessions = FakeSessions()
        let server = try APIServer(
            APIConfiguration(
                listeners: [.tcp(host: "127.0.0.1", port: 0)], authentication: .none(ServerFixture.admin)),
            sessions: sessions, tokens: FakeTokens(), usage: FakeUsage(), credentials: FakeCredentials(),
            budgets: FakeBudgets(),
            logger: .silent)
        try await server.application.test(.router) { try await body($0, sessions) }
    }

    private func call(
        _ client: any TestClientProtocol, _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil
    ) async throws -> (status: Int, json: JSONValue) {
        let answer = try await client.executeRequest(
            uri: path, method: method, headers: [.contentType: "application/json"],
            body: body.map { ByteBuffer(string: $0) })
        return (answer.status.code, (try? JSONReader.parse(answer.body)) ?? .null)
    }

    @Test func theRESTSubsetWorks() async throws {
        try await rest { client, sessions in
            let made = try await call(client, .post, "/api/sessions/create", #"{"model":"opus","cwd":"/x"}"#)
            #expect(made.status == 201)
            #expect(await sessions.lastCreation?.kind == .structured)
            let id = try #require(made.json["sessionId"]?.string)
            #expect(made.json["state"] == "connected")
            #expect(try await call(client, .get, "/api/sessions").json.array?.count == 1)
            #expect(try await call(client, .get, "/api/sessions/\(id)").json["sessionId"]?.string == id)
            #expect(try await call(client, .patch, "/api/sessions/\(id)/name", #"{"name":"n"}"#).json["name"] == "n")
            for (step, state) in [("kill", "exited"), ("relaunch", "connected"), ("archive", "exited")] {
                #expect(try await call(client, .post, "/api/sessions/\(id)/\(step)").json["ok"] == true)
                #expect(try await call(client, .get, "/api/sessions/\(id)").json["state"]?.string == state)
            }
            #expect(try await call(client, .get, "/api/claude/sessions/discover").json["sessions"]?.array?.count == 1)
            #expect(try await call(client, .get, "/api/claude/sessions/\(id)/history").json["messages"] == [])
            #expect(try await call(client, .delete, "/api/sessions/\(id)").json["ok"] == true)
            #expect(try await call(client, .get, "/api/sessions/\(id)").status == 404)
            #expect(try await call(client, .post, "/api/sessions/create", #"{"model":7}"#).status == 422)
            #expect(try await call(client, .patch, "/api/sessions/\(id)/name", "{}").status == 422)
        }
    }

    @Test func agentapiAnswersInItsShapes() async throws {
        try await rest { client, sessions in
            let id = await sessions.add()
            let root = "/sessions/\(id)/agentapi"
            #expect(
                try await call(client, .get, root + "/status").json == [
                    "status": "stable", "agent_type": "claude", "transport": "pty",
                ])
            await sessions.emit(id, 1, .messageUser, ["text": "hi"])
            await sessions.emit(id, 2, .messageAssistant, ["text": "hello"])
            try await eventually("the messages") {
                try await call(client, .get, root + "/messages").json["messages"]?.array?.count == 2
            }
            #expect(
                try await call(client, .post, root + "/message", #"{"content":"x","type":"user"}"#).json == ["ok": true]
            )
            #expect(await sessions.calls.contains { $0.hasPrefix("prompt x") })
            #expect(try await call(client, .post, root + "/message", #"{"content":"x"}"#).status == 422)
            await sessions.emit(id, 3, .sessionActivity, ["activity": "working"])
            try await eventually("the status") {
                try await call(client, .get, root + "/status").json["status"] == "running"
            }
            let refused = try await call(client, .post, root + "/message", #"{"content":"x","type":"user"}"#)
            #expect(refused.status == 500)
            #expect(refused.json["detail"] == "message can only be sent when the agent is waiting for user input")
            #expect(
                try await call(client, .post, root + "/message", #"{"content":"\u001b","type":"raw"}"#).status == 200)
            #expect(await sessions.calls.contains("dialect echokit bytes_input"))
            #expect(try await call(client, .get, "/sessions/\(SessionID())/agentapi/status").status == 404)
            let form =
                "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--b--\r\n"
            let uploaded = try await client.executeRequest(
                uri: root + "/upload", method: .post, headers: [.contentType: "multipart/form-data; boundary=b"],
                body: ByteBuffer(string: form))
            #expect(
                try JSONReader.parse(uploaded.body) == ["ok": true, "filePath": "/home/agent/uploads/x/a.txt"])
            #expect(await sessions.calls.contains("upload a.txt 5"))
            #expect(try await call(client, .post, root + "/upload", "{}").status == 422)
        }
    }
}
