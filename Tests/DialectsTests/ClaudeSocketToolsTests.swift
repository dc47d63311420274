import Dialects
import Foundation
import SessionCore
import Testing

/// Seed-protocols 2.5.
struct ClaudeSocketToolsTests {
    private func call(_ name: String, _ arguments: String) -> ClaudeSocketTools.Request {
        ClaudeSocketTools.read(
            #"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"\#(name)","arguments":\#(arguments)}}"#)
    }

    @Test("calls of the tools are understood")
    func calls() {
        #expect(
            call("reply", #"{"chat_id":"default","text":"hi"}"#)
                == .call(id: 7, .reply(chat: "default", text: "hi")))
        #expect(
            call("status", #"{"chat_id":"c","status":"thinking"}"#)
                == .call(id: 7, .status(chat: "c", status: "thinking", detail: nil)))
        #expect(
            call("status", #"{"chat_id":"c","status":"tool_use","detail":"Bash"}"#)
                == .call(id: 7, .status(chat: "c", status: "tool_use", detail: "Bash")))
        #expect(call("fetch_messages", #"{"session_id":"s"}"#) == .call(id: 7, .fetchMessages(limit: 50)))
        #expect(call("fetch_messages", #"{"session_id":"s","limit":1e9}"#) == .call(id: 7, .fetchMessages(limit: 100)))
        #expect(call("fetch_messages", #"{"session_id":"s","limit":-3}"#) == .call(id: 7, .fetchMessages(limit: 1)))
    }

    @Test(
        "a call that is wrong is told to the model as a failed tool",
        arguments: [
            ("nonsense", "{}", "unknown tool: nonsense"),
            ("reply", "{}", "reply failed: 'chat_id' is missing"),
            ("reply", #"{"chat_id":"c"}"#, "reply failed: 'text' is missing"),
            ("reply", #"{"chat_id":"c","text":""}"#, "reply failed: 'text' is empty"),
            ("reply", #"{"chat_id":"c","text":7}"#, "reply failed: 'text' must be a string"),
            ("reply", "[]", "reply failed: the message is not a JSON object"),
            ("status", #"{"chat_id":"c"}"#, "status failed: 'status' is missing"),
            ("fetch_messages", #"{"session_id":7}"#, "fetch_messages failed: 'session_id' must be a string"),
        ])
    func wrong(tool: String, arguments: String, text: String) {
        guard case .answered(let answer) = call(tool, arguments) else {
            Issue.record("not answered")
            return
        }
        #expect(answer["result"]?["isError"] == true)
        #expect(answer["result"]?["content"]?.array?.first?["text"] == .string(text))
    }

    @Test("a text is no longer than an event's")
    func tooLong() {
        let long = String(repeating: "x", count: EventText.longest + 1)
        guard case .answered(let answer) = call("reply", #"{"chat_id":"c","text":"\#(long)"}"#) else {
            Issue.record("taken")
            return
        }
        #expect(answer["result"]?["isError"] == true)
    }

    @Test(
        "what is no call is answered as JSON-RPC and MCP have it",
        arguments: [
            (
                #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"1999-01-01"}}"#,
                "2025-11-25"
            ),
            (#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, "fetch_messages"),
            (#"{"jsonrpc":"2.0","id":1,"method":"server/discover"}"#, "-32601"),
            (#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, "-32600"), (#"{"id":3}"#, "-32600"), ("[]", "-32700"),
            ("", "-32700"),
        ])
    func answered(message: String, contains: String) {
        guard case .answered(let answer) = ClaudeSocketTools.read(message) else {
            Issue.record("not answered: \(message)")
            return
        }
        #expect(answer.text.contains(contains), "\(answer.text)")
    }

    @Test(
        "what needs no answer gets none",
        arguments: [
            #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            #"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        ])
    func noted(message: String) { #expect(ClaudeSocketTools.read(message) == .noted) }

    @Test("messages are lines, each with its time and who said it")
    func lines() {
        let time = Date(timeIntervalSince1970: 0)
        #expect(ClaudeSocketTools.lines([]) == "(no messages)")
        #expect(
            ClaudeSocketTools.lines([
                ClaudeSocketEntry(isUser: true, content: "two\nlines", time: time),
                ClaudeSocketEntry(isUser: false, content: "one", time: time),
            ]) == "[\(time.formatted(.rookery))] user: two lines\n[\(time.formatted(.rookery))] assistant: one")
    }

    @Test("clients are told what is said by the tools, once, and have it in their history")
    func told() {
        var session = ClaudeSocketSession()
        let now = Date()
        let said = session.apply(ConversationEvent(seq: 31, time: now, fact: .channelReply(text: "hi")))
        #expect(said == [.reply(id: "000000000000001f", content: "hi", time: now)])
        #expect(ClaudeSocketTools.sent(31) == "sent (id: 000000000000001f)")
        #expect(session.history(limit: 5).map(\.content) == ["hi"])
        let status = ConversationEvent(seq: 32, time: now, fact: .channelStatus("reading", detail: "a file"))
        #expect(session.apply(status) == [.status("reading", detail: "a file")])
        #expect(session.apply(status).isEmpty)
    }
}
