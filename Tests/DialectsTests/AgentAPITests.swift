import Dialects
import Foundation
import SessionCore
import Testing

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
