import Foundation
import SessionCore
import Testing

@testable import Dialects

/// Seed-protocols 5.1.
struct AgentAPITests {
    private let time = Date(timeIntervalSince1970: 1_767_225_600)

    private func conversation(_ facts: [ConversationFact]) -> (AgentAPIConversation, [AgentAPIEvent]) {
        var conversation = AgentAPIConversation()
        var events: [AgentAPIEvent] = []
        for (index, fact) in facts.enumerated() {
            events += conversation.apply(ConversationEvent(seq: UInt64(index), time: time, fact: fact))
        }
        return (conversation, events)
    }

    @Test("what the agent says to one prompt is one message, re-sent whole as it grows")
    func messages() {
        let (conversation, events) = conversation([
            .activity(.idle), .user(text: "hi", id: nil), .turnStarted, .assistant(text: "one"),
            .assistant(text: "two"), .turnEnded(TurnSummary(outcome: "completed")), .user(text: "again", id: nil),
            .assistant(text: "three"),
        ])
        #expect(conversation.messages.map(\.content) == ["hi", "one\n\ntwo", "again", "three"])
        #expect(conversation.messages.map(\.id) == [0, 1, 2, 3])
        #expect(
            events.map(\.name) == [
                "status_change", "message_update", "status_change", "message_update", "message_update",
                "status_change", "message_update", "message_update",
            ])
        #expect(
            events[4].frame
                == "event: message_update\ndata: "
                + #"{"id":1,"message":"one\n\ntwo","role":"agent","time":"2026-01-01T00:00:00.000Z"}"# + "\n\n")
        #expect(events[5].frame == "event: status_change\ndata: {\"agent_type\":\"claude\",\"status\":\"stable\"}\n\n")
        #expect(
            AgentAPIDocument.messages(conversation.messages)["messages"]?.array?.first?.text
                == #"{"content":"hi","id":0,"role":"user","time":"2026-01-01T00:00:00.000Z"}"#)
    }

    @Test("a permission dialog looks stable, a new session running")
    func status() {
        #expect(conversation([]).0.status == .running)
        #expect(conversation([.activity(.working), .activity(.pending)]).0.status == .stable)
        #expect(
            AgentAPIDocument.status(.stable, transport: "pty").text
                == #"{"agent_type":"claude","status":"stable","transport":"pty"}"#)
    }

    @Test("a failure is told, and told again to whoever comes late")
    func errors() {
        let (conversation, events) = conversation([.lifecycle(.failed, detail: "no room")])
        let error = AgentAPIEvent.error(message: "no room", level: "error", time: time)
        #expect(events == [error])
        #expect(conversation.opening == [.status(.running), error])
    }

    @Test(
        "requests are checked",
        arguments: [
            (#"{"content":"hi","type":"user"}"#, AgentAPIRequest.user("hi")),
            (#"{"content":"\u001b","type":"raw"}"#, .raw("\u{1B}")),
            (#"{"content":"hi"}"#, nil), (#"{"type":"user"}"#, nil), (#"{"content":7,"type":"user"}"#, nil),
            (#"{"content":"hi","type":"other"}"#, nil), ("[]", nil),
        ] as [(String, AgentAPIRequest?)])
    func requests(text: String, expected: AgentAPIRequest?) throws {
        let body = try #require(JSONValue(parsing: text))
        #expect((try? AgentAPIRequest(body)) == expected)
    }
}

/// RFC 7578, as far as one file needs it.
struct MultipartFileTests {
    private func body(_ parts: [String]) -> Data {
        Data((parts.map { "--b\r\n\($0)\r\n" }.joined() + "--b--\r\n").utf8)
    }

    @Test("the part of the field's name is the file, with a name that is none of a path")
    func read() throws {
        let file = #"Content-Disposition: form-data; name="file"; filename="../x/a b;.txt""#
        let parts = [
            "Content-Disposition: form-data; name=\"other\"\r\n\r\nno",
            "\(file)\r\nContent-Type: text/plain\r\n\r\none\r\n--\r\ntwo",
        ]
        let found = try MultipartFile(
            body: body(parts), type: "multipart/form-data; boundary=\"b\"", field: "file")
        #expect(String(decoding: found.content, as: UTF8.self) == "one\r\n--\r\ntwo")
        #expect(!found.name.contains("/"))
    }

    @Test(
        "a name is one component, and visible",
        arguments: [
            ("a.txt", "a.txt"), ("/etc/passwd", "passwd"), ("..", "file"), ("", "file"), ("C:\\x\\y.png", "y.png"),
            ("a\u{202E}b\n", "a_b_"), ("größe 1.md", "größe 1.md"),
        ])
    func names(given: String, plain: String) {
        #expect(MultipartFile.plain(given) == plain)
    }

    @Test(
        "what is no whole part of that name is refused",
        arguments: [
            ("multipart/form-data", "--b\r\n\r\nx\r\n--b--"),
            ("multipart/form-data; boundary=b", ""),
            (
                "multipart/form-data; boundary=b",
                "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--b--"
            ),
            (
                "multipart/form-data; boundary=b",
                "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\ncut"
            ),
        ])
    func refused(type: String, body: String) {
        #expect(throws: ClientMessageError.self) {
            try MultipartFile(body: Data(body.utf8), type: type, field: "file")
        }
    }
}
