import Foundation
import Testing

@testable import SessionCore

/// What a policy's rules say yes to.
@Suite struct ToolRuleTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var rule: String
        var tool: String
        var input: JSONValue
        var isAllowed: Bool
        var testDescription: String { "\(rule) of \(tool) \(input)" }

        init(_ rule: String, _ tool: String, _ input: JSONValue, _ isAllowed: Bool) {
            self.rule = rule
            self.tool = tool
            self.input = input
            self.isAllowed = isAllowed
        }

        static func shell(_ rule: String, _ command: String, _ isAllowed: Bool) -> Case {
            Case("Bash(\(rule))", "Bash", ["command": .string(command), "description": "d"], isAllowed)
        }

        static func file(_ rule: String, _ path: String, _ isAllowed: Bool) -> Case {
            Case("Edit(\(rule))", "Edit", ["file_path": .string(path), "old_string": "a"], isAllowed)
        }

        static func url(_ url: String, _ isAllowed: Bool) -> Case {
            Case("WebFetch(domain:docs.rs)", "WebFetch", ["url": .string(url), "prompt": "p"], isAllowed)
        }
    }

    @Test(arguments: [
        Case("Bash", "Bash", ["command": "a; b"], true), Case("Bash", "Read", [:], false),
        Case("Read", "ReadMcpResource", [:], false), Case("mcp__t", "mcp__t__list", [:], true),
        Case("mcp__t", "mcp__tx__list", [:], false), Case("mcp__t__list", "mcp__t__list", [:], true),
        Case("mcp__t__list", "mcp__t__remove", [:], false),
        .shell("make test", "make test", true), .shell("make test", "make test x", false),
        .shell("git log:*", "git log", true), .shell("git log:*", "git log --format='%h' -3", true),
        .shell("git log:*", "git logs", false), .shell("git log:*", " git log", false),
        .shell("git log:*", "A=1 git log", false),
        .shell("git log:*", "git log; rm -rf /", false), .shell("git log:*", "git log && rm x", false),
        .shell("git log:*", "git log & rm x", false), .shell("git log:*", "git log | sh", false),
        .shell("git log:*", "git log > x", false), .shell("git log:*", "git log < x", false),
        .shell("git log:*", "git log $(rm x)", false), .shell("git log:*", "git log `rm x`", false),
        .shell("git log:*", "git log $HOME", false), .shell("git log:*", "git log\nrm x", false),
        .shell("git log:*", "git log\rrm x", false), .shell("git log:*", "git log <(x)", false),
        Case("Bash(ls)", "Bash", ["command": "ls", "dangerouslyDisableSandbox": true], false),
        Case("Bash(ls)", "Bash", ["command": ["ls"]], false), Case("Bash(ls)", "Bash", "ls", false),
        .file("./src/**", "/workspace/src/a/b", true), .file("./src/**", "/workspace/src", true),
        .file("./src/**", "/workspace/srcs", false), .file("./src/**", "/workspace/src/../x", false),
        .file("./src/**", "/workspace/src//x", false), .file("./src/**", "src/a", false),
        .file("./**", "/workspace/a", true), .file("./a", "/workspace/a", true), .file("./a", "/workspace/a/b", false),
        .file("//etc/hosts", "/etc/hosts", true), .file("//etc/**", "/etc/hosts", true),
        .file("//etc/**", "/workspace/etc/hosts", false),
        .url("https://docs.rs/x", true), .url("http://DOCS.rs", true), .url("https://docs.rs.evil.org/x", false),
        .url("https://evil.org/docs.rs", false), .url("https://docs.rs@evil.org/", false),
        .url("https://a:b@docs.rs/", false), .url("file://docs.rs/x", false), .url("docs.rs", false),
    ])
    func saysYesToWhatItMeansAndToNothingElse(_ example: Case) throws {
        let rule = try #require(ToolRule(example.rule))
        let question = PermissionLedger.Question(
            id: "q", toolName: example.tool, input: example.input, since: Date())
        #expect(rule.allows(question) == example.isAllowed)
    }

    @Test(arguments: [
        "", "(x)", "Bash(", "Bash()", "Bash(a*)", "Bash(a && b)", "Bash( a)", "Edit(/x)", "Edit(x)", "Edit(./../x)",
        "Edit(./a*)", "WebFetch(docs.rs)", "WebFetch(domain:)", "WebFetch(domain:*.rs)", "Agent(x)", "Bash(a\nb)",
        "Ünix",
    ])
    func whatIsNotUnderstoodIsNoRule(_ text: String) { #expect(ToolRule(text) == nil) }

    @Test func questionsPlansAndWhatIsNotShownWholeAreForPeople() throws {
        for tool in ["AskUserQuestion", "ExitPlanMode"] {
            let question = PermissionLedger.Question(id: "q", toolName: tool, input: [:], since: Date())
            #expect(question.kind != .tool)
            #expect(try #require(ToolRule(tool)).allows(question) == false)
        }
        let large = PermissionLedger.Question(id: "q", toolName: "Write", input: nil, since: Date())
        #expect(try #require(ToolRule("Write")).allows(large) == false)
        var elsewhere = PermissionLedger.Question(id: "q", toolName: "Write", input: [:], since: Date())
        elsewhere.isAnswerable = false
        #expect(try #require(ToolRule("Write")).allows(elsewhere) == false)
    }
}
