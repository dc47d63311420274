import Dialects
import Foundation
import SessionCore
import Testing

/// Seed-protocols 2.2 to 2.4.
struct ClaudeSocketTests {
    @Test(
        "messages are understood",
        arguments: [
            (
                #"{"type":"message","session_id":"default","content":"Hello!","user":"alice","ts":"2026-01-01T00:00:00Z"}"#,
                ClaudeSocketClientMessage.message(
                    session: "default", content: "Hello!", user: "alice", time: "2026-01-01T00:00:00Z")
            ),
            (
                #"{"type":"message","content":"x","extra":[1]}"#,
                .message(session: nil, content: "x", user: nil, time: nil)
            ),
            (#"{"type":"fetch_history","session_id":"s","limit":7}"#, .fetchHistory(session: "s", limit: 7)),
            (#"{"type":"fetch_history"}"#, .fetchHistory(session: nil, limit: 50)),
            (#"{"type":"fetch_history","limit":0}"#, .fetchHistory(session: nil, limit: 1)),
            (#"{"type":"fetch_history","limit":1e300}"#, .fetchHistory(session: nil, limit: 100)),
            (
                #"{"type":"permission_response","request_id":"abc","allowed":true}"#,
                .permissionResponse(request: "abc", allowed: true)
            ),
            (
                #"{"type":"permission_response","request_id":"abc","allowed":0}"#,
                .permissionResponse(request: "abc", allowed: false)
            ),
            (
                #"{"type":"permission_response","request_id":"abc"}"#,
                .permissionResponse(request: "abc", allowed: false)
            ),
        ])
    func understood(text: String, expected: ClaudeSocketClientMessage) throws {
        #expect(try ClaudeSocketClientMessage(parsing: text) == expected)
    }

    @Test(
        "what is wrong is answered with an error",
        arguments: [
            ("hello", "", "invalid JSON"), ("", "", "invalid JSON"), ("[]", "", "invalid JSON"),
            (#"{"type":"foo","session_id":"s"}"#, "s", "unknown message type: foo"),
            (#"{"session_id":"s"}"#, "s", "unknown message type: undefined"),
            (#"{"type":7}"#, "", "unknown message type: 7"),
            (#"{"type":"message","session_id":"s"}"#, "s", "'content' is missing"),
            (#"{"type":"message","content":7}"#, "", "'content' must be a string"),
            (#"{"type":"message","content":"x","session_id":7}"#, "", "'session_id' must be a string"),
            (#"{"type":"permission_response","allowed":true}"#, "", "'request_id' is missing"),
        ])
    func refused(text: String, session: String, message: String) {
        #expect(throws: ClaudeSocketRefusal(session: session, message: message)) {
            try ClaudeSocketClientMessage(parsing: text)
        }
    }

    @Test("more than a mebibyte is refused before it is read")
    func tooLarge() {
        let text = #"{"type":"message","content":""# + String(repeating: "x", count: 1 << 20) + #""}"#
        #expect(throws: ClaudeSocketRefusal.self) { try ClaudeSocketClientMessage(parsing: text) }
    }

    private let time = Date(timeIntervalSince1970: 1_767_225_600.5)

    @Test("messages are written as claude-socket writes them")
    func written() {
        let question = PermissionQuestion(
            id: "abcde", tool: "Bash", input: ["command": "ls -l", "description": "List files"])
        let cases: [(ClaudeSocketServerMessage, String)] = [
            (
                .reply(id: "00000000000000ff", content: "hi", time: time),
                #"{"content":"hi","message_id":"00000000000000ff","session_id":"s","ts":"2026-01-01T00:00:00.500Z","type":"reply"}"#
            ),
            (.status("idle", detail: nil), #"{"session_id":"s","status":"idle","type":"status"}"#),
            (
                .status("tool_use", detail: "Bash"),
                #"{"detail":"Bash","session_id":"s","status":"tool_use","type":"status"}"#
            ),
            (
                .history([ClaudeSocketEntry(isUser: true, content: "q", time: time)]),
                #"{"messages":[{"content":"q","role":"user","ts":"2026-01-01T00:00:00.500Z"}],"session_id":"s","type":"history"}"#
            ),
            (
                .permissionRequest(question),
                #"{"description":"List files","input_preview":"{\"command\":\"ls -l\",\"description\":\"List files\"}","request_id":"abcde","session_id":"s","tool_name":"Bash","type":"permission_request"}"#
            ),
            (.error("invalid JSON"), #"{"message":"invalid JSON","session_id":"s","type":"error"}"#),
        ]
        for (message, text) in cases { #expect(message.json(session: "s").text == text) }
    }

    @Test("a preview is cut at 200 characters")
    func preview() {
        let question = PermissionQuestion(
            id: "a", tool: "Write", input: ["content": .string(String(repeating: "é", count: 999))])
        #expect(
            ClaudeSocketServerMessage.permissionRequest(question).json(session: "")["input_preview"]?.string?.count
                == 200)
    }

    private func event(_ seq: UInt64, _ fact: ConversationFact) -> ConversationEvent {
        ConversationEvent(seq: seq, time: time, fact: fact)
    }

    @Test("a turn is told as status, replies and history")
    func turn() {
        var session = ClaudeSocketSession()
        let call = ToolCall(id: "t1", name: "Bash", input: [:])
        let facts: [(ConversationFact, [ClaudeSocketServerMessage])] = [
            (.user(text: "do", id: nil), [.message(content: "do", time: time)]),
            (.turnStarted, [.status("thinking", detail: nil)]),
            (.activity(.working), []),
            (.toolStarted(call), [.status("tool_use", detail: "Bash")]),
            (.toolEnded(call, isError: false, text: nil), [.status("thinking", detail: nil)]),
            (.assistant(text: "done"), [.reply(id: "0000000000000006", content: "done", time: time)]),
            (.turnEnded(TurnSummary(outcome: "completed")), [.status("idle", detail: nil)]),
            (.activity(.idle), []),
        ]
        for (index, (fact, expected)) in facts.enumerated() {
            let told = session.apply(event(UInt64(index + 1), fact))
            #expect(told == expected)
        }
        #expect(session.history(limit: 50).map(\.content) == ["do", "done"])
        #expect(session.history(limit: 1).map(\.isUser) == [false])
    }

    @Test("a client's own message is in the history at once, and not again when the session says it")
    func ownMessage() {
        var session = ClaudeSocketSession()
        let told = session.take(" hi\n", at: time)
        #expect(told == [.message(content: " hi\n", time: time)])
        let said = session.apply(event(1, .user(text: "hi", id: nil)))
        #expect(said == [])
        let other = session.apply(event(2, .user(text: "hi", id: nil)))
        #expect(other == [.message(content: "hi", time: time)])
        #expect(session.history.map(\.content) == [" hi\n", "hi"])
    }

    @Test("a hundred messages are kept")
    func bounded() {
        var session = ClaudeSocketSession()
        for index in 1...250 { _ = session.apply(event(UInt64(index), .user(text: "\(index)", id: nil))) }
        #expect(session.history(limit: 100).first?.content == "151")
        #expect(session.history.count == 100)
    }

    @Test("an open permission is kept for late clients until it is resolved")
    func permissions() {
        var session = ClaudeSocketSession()
        let question = PermissionQuestion(id: "p", tool: "Bash", input: [:])
        let asked = session.apply(event(1, .permissionAsked(question)))
        #expect(asked == [.permissionRequest(question)])
        #expect(session.questions == [question])
        let resolved = session.apply(event(2, .permissionResolved(id: "p", allowed: true, by: "ann")))
        #expect(resolved == [.permissionResolved(request: "p", allowed: true, by: "ann")])
        let again = session.apply(event(3, .permissionResolved(id: "p", allowed: true, by: "ann")))
        #expect(again == [])
        #expect(session.questions.isEmpty)
        _ = session.apply(event(4, .permissionAsked(question)))
        _ = session.apply(event(5, .lifecycle(.parked, detail: nil)))
        #expect(session.questions.isEmpty)
    }
}
