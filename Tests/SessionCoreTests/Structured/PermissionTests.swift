import Foundation
import SessionCore
import Testing

@Suite struct PermissionTests {
    @Test(arguments: [
        ("plain text, ümläuts, 漢字 and 🙂", "plain text, ümläuts, 漢字 and 🙂"),
        ("two\nlines", "two\nlines"),
        ("a\tb\rc", "a\\tb\\rc"),
        ("\u{1b}[2Jgone\u{0}", "\\u{1b}[2Jgone\\u{0}"),
        ("rm -rf \u{202e}txt.exe", "rm -rf \\u{202e}txt.exe"),
        ("a\u{2066}b\u{2069}", "a\\u{2066}b\\u{2069}"),
        ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
        ("no\u{a0}break\u{3000}", "no\\u{a0}break\\u{3000}"),
        ("line\u{2028}end\u{85}", "line\\u{2028}end\\u{85}"),
        ("tag\u{e0041}", "tag\\u{e0041}"),
        ("\u{7f}", "\\u{7f}"),
        ("한\u{3164}글", "한\\u{3164}글"),
    ])
    func whatIsNotSeenIsMadeVisible(_ text: String, _ visible: String) {
        #expect(VisibleText.of(text) == visible)
    }

    @Test func aToolsInputIsShownWholeAndWhatMattersFirst() {
        let input: JSONValue = [
            "description": "harmless", "command": "rm -rf /\ndescription: really", "timeout": 5,
        ]
        #expect(
            VisibleText.of(input: input)
                == "command:\n    rm -rf /\n    description: really\ndescription: harmless\ntimeout: 5")
        let long = String(repeating: "x", count: 100_000)
        #expect(VisibleText.of(input: ["command": .string(long)]).contains(long))
    }

    @Test func theFirstAnswerCountsAndALaterOneLearnsWhoseItWas() throws {
        var ledger = PermissionLedger()
        let question = PermissionLedger.Question(
            id: "q", toolName: "Bash", input: ["command": "ls"], toolUseID: "toolu_1", since: Date())
        let (isNew, isNewAgain) = (ledger.ask(question), ledger.ask(question))
        #expect(isNew && !isNewAgain)
        let answer = PermissionAnswer(id: "toolu_1", decision: .allow)
        #expect(try ledger.question(for: answer).id == "q")
        let resolved = ledger.resolve("q", .init(.allowed, by: "ann", way: .client, at: Date()))
        #expect(resolved?["by"] == "ann")
        let second = ledger.resolve("q", .init(.denied, by: "bob", way: .client, at: Date()))
        #expect(second == nil)
        let error = #expect(throws: CommandFailure.self) {
            try ledger.question(for: PermissionAnswer(id: "q", decision: .deny))
        }
        #expect(error?.code == "already_answered")
        #expect(error?.data?["by"] == "ann")
        #expect(error?.data?["decision"] == "allowed")
        // Asked again under the same id, it is not asked.
        let isAskedAgain = ledger.ask(question)
        #expect(!isAskedAgain)
    }

    @Test func whatCannotBeShownWholeCanOnlyBeDenied() {
        var ledger = PermissionLedger()
        _ = ledger.ask(PermissionLedger.Question(id: "q", toolName: "Write", input: nil, since: Date()))
        #expect(throws: CommandFailure.self) { try ledger.question(for: PermissionAnswer(id: "q", decision: .allow)) }
        #expect(throws: Never.self) { try ledger.question(for: PermissionAnswer(id: "q", decision: .deny)) }
    }

    @Test func whatIsRememberedIsTheToolsOwnRuleForThisSessionAndNeverAMode() {
        var question = PermissionLedger.Question(
            id: "q", toolName: "Bash", input: ["command": "touch x"],
            suggestions: [
                [
                    "type": "addRules", "behavior": "allow", "destination": "localSettings",
                    "rules": [["toolName": "Bash", "ruleContent": "touch x"]],
                ],
                ["type": "addDirectories", "directories": ["/workspace"], "destination": "session"],
                ["type": "setMode", "mode": "acceptEdits", "destination": "session"],
            ], since: Date())
        let changes = PermissionRule.remembering(question)
        #expect(changes.map { $0["type"]?.string } == ["addRules", "addDirectories"])
        #expect(changes.allSatisfy { $0["destination"] == "session" })
        #expect(PermissionRule.texts(remembering: question) == ["Bash(touch x)"])
        question.suggestions = nil
        #expect(PermissionRule.texts(remembering: question) == ["Bash(touch x)"])
        question.toolName = "Write"
        question.input = ["file_path": "/x"]
        #expect(PermissionRule.texts(remembering: question) == ["Write"])
    }
}
