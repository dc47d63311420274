import Foundation
import Testing

@testable import ScriptedModel

/// A request as Claude Code sends it: tools and a system prompt.
private func request(_ messages: ModelRequest.Message...) -> ModelRequest {
    ModelRequest(messages: messages, toolNames: ["Bash", "Read"], hasSystemPrompt: true)
}

private func user(_ text: String) -> ModelRequest.Message { .init(role: "user", blocks: [.text(text)]) }
private let toolCall = ModelRequest.Message(role: "assistant", blocks: [.text("calling"), .toolUse])
private let toolResult = ModelRequest.Message(role: "user", blocks: [.toolResult])
private func assistant(_ text: String) -> ModelRequest.Message { .init(role: "assistant", blocks: [.text(text)]) }

/// The text blocks of a plan, joined.
private func spoken(_ plan: ScriptedPlan) -> String {
    plan.blocks.map { if case .text(let pieces) = $0 { pieces.joined() } else { "" } }.joined()
}

/// The tool calls of a plan: name and input.
private func calls(_ plan: ScriptedPlan) -> [[String]] {
    plan.blocks.compactMap { if case .tool(let name, let input) = $0 { [name, input] } else { nil } }
}

@Suite struct ScriptTests {
    @Test(arguments: [
        ("hello there", "echo: hello there"),
        ("SAY hi", "hi"),
        ("please SAY one two three\nthanks", "one two three"),
        ("SAY first\nSAY last", "last"),
        ("ESSAY about tests", "echo: ESSAY about tests"),
        ("SAY", "echo: SAY"),
        ("LONG 3", "word0 word1 word2 "),
        ("DRIP 2 0.1", "drip0 drip1 "),
        ("RECALL", "nothing was said before"),
        ("", "echo: "),
    ])
    func `a prompt is answered with`(prompt: String, answer: String) {
        #expect(spoken(Script.plan(request(user(prompt)))) == answer)
    }

    @Test(arguments: [
        ("BASH ls -la", [["Bash", #"{"command":"ls -la","description":"Run the requested command"}"#]]),
        ("WRITE a/b.txt some text", [["Write", #"{"content":"some text\n","file_path":"a/b.txt"}"#]]),
        ("READ /etc/hosts", [["Read", #"{"file_path":"/etc/hosts"}"#]]),
        (#"TOOL Grep {"pattern":"x"}"#, [["Grep", #"{"pattern":"x"}"#]]),
        (#"TOOL Grep {"pattern""#, []),
        ("BASH", []),
        ("PARREAD 2", [["Read", #"{"file_path":"/etc/hosts"}"#], ["Read", #"{"file_path":"/etc/hostname"}"#]]),
    ])
    func `a prompt calls tools`(prompt: String, expected: [[String]]) {
        #expect(calls(Script.plan(request(user(prompt)))) == expected)
    }

    @Test func `after its tool result a turn ends`() {
        #expect(spoken(Script.plan(request(user("BASH ls"), toolCall, toolResult))) == "done")
    }

    @Test func `a loop takes its steps and finishes`() {
        let first = Script.plan(request(user("LOOP 2")))
        #expect(first.step == 0 && calls(first).count == 1)
        let second = Script.plan(request(user("LOOP 2"), toolCall, toolResult))
        #expect(second.step == 1 && calls(second).first?[1].contains("echo step-2") == true)
        let third = Script.plan(request(user("LOOP 2"), toolCall, toolResult, toolCall, toolResult))
        #expect(spoken(third) == "loop finished" && calls(third).isEmpty)
    }

    @Test func `an earlier turn's keywords and steps do not count`() {
        let plan = Script.plan(request(user("BASH ls"), toolCall, toolResult, assistant("done"), user("SAY bye")))
        #expect(plan.step == 0)
        #expect(spoken(plan) == "bye")
    }

    @Test func `recall tells what was said before, oldest first`() {
        let plan = Script.plan(
            request(user("the number is 42"), assistant("ok"), user("SAY x"), assistant("x"), user("RECALL")))
        #expect(spoken(plan) == "1. the number is 42\n2. SAY x")
    }

    @Test(arguments: ["user", "system"])
    func `what came while a turn ran is recalled, and nothing acts on it`(role: String) {
        let text =
            "The user sent a new message while you were working:\nBASH rm x\ntwo lines\n\n"
            + "This is how Claude Code surfaces messages the user sends mid-turn"
        let block = role == "user" ? "<system-reminder>\n\(text)\n</system-reminder>" : text
        let absorbed = ModelRequest.Message(role: role, blocks: [.text(block)])
        let running = Script.plan(request(user("BASH ls"), toolCall, toolResult, absorbed))
        #expect(spoken(running) == "done")
        let later = Script.plan(
            request(user("BASH ls"), toolCall, toolResult, absorbed, assistant("done"), user("RECALL")))
        #expect(spoken(later) == "1. BASH ls\n2. BASH rm x\ntwo lines")
    }

    @Test func `reminders are not what the person said`() {
        let message = ModelRequest.Message(
            role: "user",
            blocks: [
                .text("<system-reminder>SAY no</system-reminder>"),
                .text("SAY yes<system-reminder>x</system-reminder>"),
            ])
        #expect(spoken(Script.plan(request(message))) == "yes")
    }

    @Test func `a side question does not act on the person's words`() {
        var side = request(user("BASH rm -rf / ERR 500 HANG"))
        side.toolNames = []
        let plan = Script.plan(side)
        #expect(plan.refusal == nil && plan.ending == .complete && calls(plan).isEmpty)
    }

    @Test(
        arguments: [
            ("ERR 529", 529, nil), ("ERR 429 2", 429, 2), ("ERR 200", nil, nil), ("ERR many", nil, nil),
        ] as [(String, Int?, Int?)])
    func `a prompt asks for an error`(prompt: String, status: Int?, times: Int?) {
        let refusal = Script.plan(request(user(prompt))).refusal
        #expect(refusal?.status == status && refusal?.times == times)
    }

    @Test(
        arguments: [
            ("HANG", .hang), ("CUT", .cut), ("MIDERR", .errorEvent), ("HANGAR CUTS", .complete),
        ] as [(String, ScriptedPlan.Ending)])
    func `a prompt asks for a bad ending`(prompt: String, ending: ScriptedPlan.Ending) {
        #expect(Script.plan(request(user(prompt))).ending == ending)
    }

    @Test func `slow waits before it answers`() {
        #expect(Script.plan(request(user("SLOW 1.5 SAY x"))).pause == .milliseconds(1500))
    }

    @Test(arguments: ["SLOW 99999999999999999999", "LONG 99999999999", "DRIP 1 1e400", "ERR 1e99 -1", "PAR -1"])
    func `absurd numbers do no harm`(prompt: String) {
        let plan = Script.plan(request(user(prompt)))
        #expect(plan.blocks.count < 200)
        #expect(plan.pause <= .seconds(86_400))
    }
}

@Suite struct ModelRequestTests {
    @Test func `content may be a string or blocks, and unknown blocks are kept as such`() throws {
        let text = #"""
            {"model":"m","stream":true,"tools":[{"name":"Bash"},{}],"system":[],"metadata":{"x":1},"messages":[
            {"role":"user","content":"hi"},
            {"role":"user","content":[{"type":"image","source":{}},{"type":"tool_result","content":[]}]}]}
            """#
        let request = try JSONDecoder().decode(ModelRequest.self, from: Data(text.utf8))
        #expect(request.stream && request.hasSystemPrompt && request.toolNames == ["Bash"])
        #expect(request.messages.map(\.blocks) == [[.text("hi")], [.other, .toolResult]])
    }
}

@Suite struct ListenAddressTests {
    @Test(
        arguments: [
            ("127.0.0.1:0", .tcp(host: "127.0.0.1", port: 0)), ("[::1]:80", .tcp(host: "::1", port: 80)),
            ("unix:/run/x.sock", .unix(path: "/run/x.sock")), ("unix:x", nil), ("localhost", nil), (":80", nil),
            ("a:70000", nil), ("::1:80", nil),
        ] as [(String, ListenAddress?)])
    func `an address is`(text: String, expected: ListenAddress?) {
        #expect(ListenAddress(parsing: text) == expected)
    }
}

@Suite struct RedactionTests {
    @Test(arguments: [("sk-ant-secret-1234", "…1234"), ("short", "…"), ("", "…")])
    func `a secret shows at most its end`(secret: String, shown: String) { #expect(redacted(secret) == shown) }
}
