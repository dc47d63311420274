import Dialects
import Foundation
import SessionCore
import Testing

/// Seed-protocols 2.5.
@Suite struct ClaudeSocketChannelTests {
    @Test("a prompt is a notification as claude-socket has it, with the prompt's name")
    func notification() {
        let origin = ChannelOrigin(chat: "kitchen", user: "ann", time: "2026-01-01T00:00:00Z")
        #expect(
            ClaudeSocketChannel.notification("hi\nthere", id: "m1", from: origin, sender: "admin", time: "now").text
                == #"{"jsonrpc":"2.0","method":"notifications/claude/channel","params":{"content":"hi\nthere","meta":{"chat_id":"kitchen","message_id":"m1","source":"websocket","ts":"2026-01-01T00:00:00Z","user":"ann"}}}"#
        )
    }

    @Test("who does not say who they are is who they are")
    func anonymous() {
        let message = ClaudeSocketChannel.notification(
            "hi", id: "m", from: ChannelOrigin(chat: "c"), sender: "admin", time: "now")
        #expect(message["params"]?["meta"]?["user"] == "admin")
        #expect(message["params"]?["meta"]?["ts"] == "now")
    }

    @Test("an answer is known by its ping's id")
    func ping() {
        let ping = ClaudeSocketChannel.ping(7)
        #expect(ping["method"] == "ping")
        #expect(ClaudeSocketChannel.pingNumber(ping["id"] ?? .null) == 7)
        for other: JSONValue in [7, "7", "rookery-", "rookery-x", .null] {
            #expect(ClaudeSocketChannel.pingNumber(other) == nil)
        }
        #expect(
            ClaudeSocketTools.read(#"{"jsonrpc":"2.0","id":"rookery-7","result":{}}"#) == .answer(id: "rookery-7"))
        #expect(
            ClaudeSocketTools.read(#"{"jsonrpc":"2.0","id":"rookery-7","error":{"code":1,"message":"no"}}"#)
                == .answer(id: "rookery-7"))
    }

    @Test("a message of the stream is one event, whatever is in it")
    func event() {
        #expect(ClaudeSocketChannel.event(["a": "x\ny"]) == "event: message\ndata: {\"a\":\"x\\ny\"}\n\n")
    }

    @Test("only a server that is a channel says so, and none relays permissions", arguments: [false, true])
    func welcome(offers: Bool) {
        let hello = #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#
        guard case .answered(let answer) = ClaudeSocketTools.read(hello, offersChannel: offers) else {
            Issue.record("not answered")
            return
        }
        let capabilities = answer["result"]?["capabilities"]
        #expect(capabilities?["tools"] == [:])
        #expect(capabilities?["experimental"] == (offers ? ["claude/channel": [:]] : nil))
    }
}
