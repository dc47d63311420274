import Dialects
import Foundation
import SessionCore
import Testing

struct ConversationFactTests {
    @Test(
        "events of the native vocabulary are read",
        arguments: [
            ("message.user", #"{"text":"hi"}"#, .user(text: "hi", id: nil)),
            ("message.assistant", #"{"text":"hi","truncated":true}"#, .assistant(text: "hi")),
            ("message.delta", #"{"text":"h"}"#, .delta(text: "h")),
            (
                "tool.started", #"{"tool_use_id":"t","tool_name":"Bash","tool_input":{"command":"ls"}}"#,
                .toolStarted(ToolCall(id: "t", name: "Bash", input: ["command": "ls"]))
            ),
            (
                "tool.completed", #"{"tool_use_id":"t","tool_name":"Bash","is_error":true,"error":"no"}"#,
                .toolEnded(ToolCall(id: "t", name: "Bash"), isError: true, text: "no")
            ),
            (
                "permission.requested", #"{"id":"p","tool_name":"Bash","tool_input":null}"#,
                .permissionAsked(PermissionQuestion(id: "p", tool: "Bash", input: [:]))
            ),
            (
                "permission.resolved", #"{"id":"p","resolution":"allowed","by":"ann"}"#,
                .permissionResolved(id: "p", allowed: true, by: "ann")
            ),
            (
                "permission.resolved", #"{"id":"p","resolution":"denied"}"#,
                .permissionResolved(id: "p", allowed: false, by: nil)
            ),
            (
                "turn.completed", #"{"outcome":"interrupted","duration_ms":5}"#,
                .turnEnded(TurnSummary(outcome: "interrupted", durationMilliseconds: 5))
            ),
            ("session.activity", #"{"activity":"pending","source":"hook"}"#, .activity(.pending)),
            ("session.failed", #"{"lifecycle":"failed","detail":"why"}"#, .lifecycle(.failed, detail: "why")),
            ("gap", #"{"through":4}"#, .gap),
            ("terminal.resized", #"{"cols":1}"#, nil), ("session.limits", "{}", nil), ("tool.started", "{}", nil),
            ("permission.requested", "null", nil), ("session.activity", #"{"activity":"odd"}"#, nil),
            ("never.heard.of", "[]", nil),
        ] as [(String, String, ConversationFact?)])
    func read(type: String, data: String, expected: ConversationFact?) throws {
        #expect(ConversationFact(type, try #require(JSONValue(parsing: data))) == expected)
    }

    @Test("a question's summary is its description, else its most telling argument")
    func summary() {
        let cases: [(PermissionQuestion, String)] = [
            (PermissionQuestion(id: "a", tool: "Bash", input: ["command": "ls"], description: "List"), "List"),
            (PermissionQuestion(id: "a", tool: "Bash", input: ["command": "ls", "description": "All"]), "All"),
            (PermissionQuestion(id: "a", tool: "Write", input: ["file_path": "/x"]), "/x"),
            (PermissionQuestion(id: "a", tool: "Odd", input: ["n": 1]), "use Odd"),
        ]
        for (question, text) in cases { #expect(question.summary == text) }
    }
}
