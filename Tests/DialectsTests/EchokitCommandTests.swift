import Dialects
import SessionCore
import Testing

/// Seed-protocols 1.9 and 8.
struct EchokitCommandTests {
    @Test(
        "a command is understood, and nothing else is one",
        arguments: [
            (#"{"type":"command","content":"run the tests"}"#, true),
            (#"{"type":"command","content":"x","session_id":"s"}"#, true), (#"{"type":"command"}"#, false),
            (#"{"type":"command","content":7}"#, false), (#"{"type":"input","content":"x"}"#, false), ("x", false),
        ])
    func commands(text: String, isCommand: Bool) {
        #expect((EchokitCommand(parsing: text) != nil) == isCommand)
    }

    @Test("each text is a response, and the last one of a turn says so")
    func responses() {
        let id = SessionID()
        var responses = EchokitResponses(id)
        #expect(responses.apply(.assistant(text: "before anybody asked")) == [])
        responses.asked()
        let facts: [ConversationFact] = [
            .turnStarted, .assistant(text: "one"), .toolStarted(ToolCall(id: "t", name: "Bash")),
            .assistant(text: "two"), .assistant(text: "three"), .turnEnded(TurnSummary(outcome: "completed")),
            .activity(.idle),
        ]
        let told = facts.flatMap { responses.apply($0) }
        #expect(told.map { $0["content"]?.string } == ["one", "two", "three"])
        #expect(told.map { $0["done"]?.bool } == [nil, nil, true])
        // Words that come after the end of their turn are not held back for a next one.
        let late = responses.apply(.assistant(text: "late"))
        #expect(late.map { $0["done"]?.bool } == [true])
        #expect(told.allSatisfy { $0["type"] == "response" && $0["session_id"]?.string == id.description })
    }

    @Test(
        "the first message on /ws says whose it is",
        arguments: [
            (#"{"type":"auth","token":"1:x"}"#, SharedSocketProtocol.claudeRemote),
            (#"{"type":"command","content":"x"}"#, .echokit), (#"{"type":"create_session"}"#, .echokit),
            (#"{"type":"Input","input":"x"}"#, .echokit), (#"{"type":"chat.send"}"#, .unknown), ("hello", .unknown),
        ])
    func shared(text: String, expected: SharedSocketProtocol) {
        #expect(SharedSocketProtocol(first: text) == expected)
    }
}
