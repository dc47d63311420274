import Foundation
import Registry
import SessionCore
import Testing

@testable import API

/// Programs that dial in on `/ws/cli/{id}` with their lines as they are (seed-protocols 3.2).
@Suite(.timeLimit(.minutes(2))) struct ElsewhereTests {
    private static let settings =
        #"{"type":"system","subtype":"init","model":"opus","permissionMode":"default","tools":["Bash"],"session_id":"x"}"#

    private func text(_ text: String, uuid: String) -> String {
        #"{"type":"assistant","uuid":"\#(uuid)","message":{"id":"m","role":"assistant","content":[{"type":"text","text":"\#(text)"}]}}"#
    }

    private static let result =
        #"{"type":"result","subtype":"success","is_error":false,"result":"hello","uuid":"r","total_cost_usd":0.5}"#

    @Test func aBrowserTalksToAProgramThatDialsIn() async throws {
        try await ServerFixture.run { server in
            let id = SessionID()
            let program = try await DialectClient(server.port, "/ws/cli/\(id)")
            let browser = try await DialectClient(server.port, "/ws/browser/\(id)")
            _ = try await browser.next("session_init")
            try await browser.send(#"{"type":"user_message","content":"hi","client_msg_id":"m"}"#)
            let prompt = try JSONReader.parse(try await program.raw.receiveText().utf8)
            #expect(prompt["type"] == "user")
            #expect(prompt["message"]?["content"] == "hi")
            let uuid = try #require(prompt["uuid"]?.string)
            // Lines come in pieces and together, and what is said again is known.
            let started = #"{"type":"command_lifecycle","command_uuid":"\#(uuid)","state":"started"}"#
            let replay =
                #"{"type":"user","uuid":"\#(uuid)","isReplay":true,"message":{"role":"user","content":"hi"}}"#
            let all =
                [started, Self.settings, replay, text("hello", uuid: "a"), text("hello", uuid: "a")]
                .joined(separator: "\n") + "\n"
            try await program.send(String(all.prefix(100)))
            try await program.send(String(all.dropFirst(100)))
            #expect(try await browser.next("user_message")["id"]?.string == uuid)
            #expect(try await browser.next("assistant")["message"]?["content"]?.array?.first?["text"] == "hello")
            try await program.send(
                #"{"type":"control_request","request_id":"q","request":{"subtype":"can_use_tool","tool_name":"Bash","input":{"command":"ls"}}}"#
                    + "\n")
            #expect(try await browser.next("permission_request")["request"]?["request_id"] == "q")
            try await browser.send(
                #"{"type":"permission_response","request_id":"q","behavior":"allow","updated_input":{"command":"ls -l"}}"#
            )
            let answer = try JSONReader.parse(try await program.raw.receiveText().utf8)
            #expect(answer["response"]?["response"]?["updatedInput"]?["command"] == "ls -l")
            #expect(try await browser.next("permission_cancelled")["request_id"] == "q")
            let late = #"{"type":"permission_response","request_id":"q","behavior":"deny"}"#
            try await browser.send(late)
            #expect(try await browser.next("error")["message"]?.string?.contains("allowed by") == true)
            try await program.send(Self.result + "\n")
            #expect(try await browser.next("result")["data"]?["total_cost_usd"] == .number(0.5))

            try await browser.send(#"{"type":"set_model","model":"haiku"}"#)
            let request = try JSONReader.parse(try await program.raw.receiveText().utf8)
            #expect(request["request"]?["subtype"] == "set_model")
            let number = request["request_id"]?.string ?? ""
            try await program.send(
                #"{"type":"control_response","response":{"subtype":"success","request_id":"\#(number)","response":{}}}"#
                    + "\n")
            var model: JSONValue?
            while model != "haiku" { model = try await browser.next("session_update")["session"]?["model"] }
            // A stranger's connection under the id of a session here is none.
            let own = await server.sessions.add()
            let raw = try await RawClient(port: server.port)
            #expect(try await raw.upgrade("/ws/cli/\(own)").hasPrefix("HTTP/1.1 409"))
        }
    }

    @Test func nobodyElseSeesAProgramThatDialsIn() async throws {
        try await ServerFixture.run(authentication: .token) { server in
            let id = SessionID()
            let raw = try await RawClient(port: server.port)
            #expect(try await raw.upgrade("/ws/cli/\(id)").hasPrefix("HTTP/1.1 401"))
            let viewer = try await RawClient(port: server.port)
            let header = "Authorization: Bearer \(FakeTokens.token(.viewer))"
            #expect(try await viewer.upgrade("/ws/cli/\(id)", headers: [header]).hasPrefix("HTTP/1.1 403"))
            let wrapped = try await RawClient(port: server.port)
            #expect(try await wrapped.upgrade("/ws/cli/\(id)?wrap=true").hasPrefix("HTTP/1.1 404"))
        }
    }
}
