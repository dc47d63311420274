import Dialects
import SessionCore
import Testing

/// The transition table and the gates of seed-protocols 1.5.
struct EchokitSessionTests {
    private func run(_ facts: [EchokitFact]) -> (state: EchokitState, messages: [EchokitServerMessage]) {
        var session = EchokitSession()
        let messages = facts.flatMap { session.apply($0) }
        return (session.state, messages)
    }

    private let bash = EchokitTool(id: "t1", name: "Bash", input: ["command": "ls"])
    private var bashStarted: EchokitFact { .toolStarted(id: "t1", name: "Bash", input: ["command": "ls"]) }
    private let working = EchokitFact.activity(.working, waitingFor: nil)
    private let pending = EchokitFact.activity(.pending, waitingFor: "permission prompt")
    private let idle = EchokitFact.activity(.idle, waitingFor: nil)

    @Test("the gates of every state")
    func gates() {
        let tool = [bash]
        let table: [(EchokitState, input: Bool, cancel: Bool, confirm: Bool, name: String)] = [
            (.idle, true, false, true, "idle"),
            (.working(prompt: "p"), false, false, false, "working"),
            (.output("t", isThinking: true), false, true, false, "thinking"),
            (.output("t", isThinking: false), true, false, true, "output"),
            (.preUseTool(tool, isPending: false), false, true, false, "pre_use_tool"),
            (.preUseTool(tool, isPending: true), false, true, true, "pre_use_tool"),
            (.stopUseTool(isError: false), true, false, true, "stop_use_tool"),
            (.stopUseTool(isError: true), true, false, true, "stop_use_tool_error"),
        ]
        for (state, input, cancel, confirm, name) in table {
            #expect(state.allowsInput == input, "\(state)")
            #expect(state.allowsCancel == cancel, "\(state)")
            #expect(state.allowsConfirm == confirm, "\(state)")
            #expect(state.errorName == name)
        }
    }

    @Test("a prompt makes it working, in both families")
    func prompt() {
        let (state, messages) = run([working, .prompt("hi")])
        #expect(state == .working(prompt: "hi"))
        #expect(messages.suffix(2) == [.state(.working(prompt: "hi")), .running])
    }

    @Test("a turn with a tool that asks goes through every state and ends idle")
    func turn() {
        let (state, messages) = run([
            working, .prompt("list"), .thinking("hm"), bashStarted, pending, working,
            .toolEnded(id: "t1", isError: false), .text("done"), idle,
        ])
        #expect(state == .idle)
        #expect(
            messages == [
                .state(.working(prompt: "")), .running,
                .state(.working(prompt: "list")), .running,
                .state(.output("hm", isThinking: true)), .output("hm", isThinking: true),
                .state(.preUseTool([bash], isPending: false)), .toolRequest(tool: bash),
                .state(.preUseTool([bash], isPending: true)), .pending(tool: bash),
                .state(.preUseTool([bash], isPending: false)),
                .state(.stopUseTool(isError: false)), .running,
                .state(.output("done", isThinking: false)), .output("done", isThinking: false),
                .state(.idle), .idle,
            ])
    }

    @Test("parallel tools end together, an error ends at once")
    func parallel() {
        let second = EchokitFact.toolStarted(id: "t2", name: "Read", input: [:])
        var session = EchokitSession()
        for fact in [working, bashStarted, second, .toolEnded(id: "t1", isError: false)] { _ = session.apply(fact) }
        guard case .preUseTool(let tools, isPending: false) = session.state else {
            Issue.record("\(session.state)")
            return
        }
        #expect(tools.map(\.done) == [true, false])
        var failed = session
        _ = session.apply(.toolEnded(id: "t2", isError: false))
        #expect(session.state == .stopUseTool(isError: false))
        _ = failed.apply(.toolEnded(id: "t2", isError: true))
        #expect(failed.state == .stopUseTool(isError: true))
    }

    @Test("the same tool by hook and by transcript is one, and a late report starts nothing")
    func duplicate() {
        let (_, messages) = run([working, bashStarted, bashStarted])
        #expect(messages.filter { $0 == .toolRequest(tool: bash) }.count == 1)
        let (state, _) = run([working, bashStarted, .toolEnded(id: "t1", isError: false), bashStarted])
        #expect(state == .stopUseTool(isError: false))
    }

    @Test("text and prompts during a tool are ignored")
    func during() {
        let (state, _) = run([working, bashStarted, .text("x"), .prompt("y")])
        #expect(state == .preUseTool([bash], isPending: false))
    }

    @Test("a late report after the end leaves it idle")
    func late() {
        let (state, messages) = run([working, idle, .text("late")])
        #expect(state == .idle)
        #expect(messages.contains(.state(.output("late", isThinking: false))))
        #expect(messages.last == .idle)
    }

    @Test("a dialog without a tool is pending too")
    func dialog() {
        let (state, messages) = run([.activity(.pending, waitingFor: "dialog open")])
        #expect(state.allowsConfirm)
        #expect(messages.contains { if case .pending(let tool) = $0 { tool.name == "dialog open" } else { false } })
    }

    @Test("while idle it says so again, while pending it repeats the state")
    func ticks() {
        var session = EchokitSession()
        #expect(session.tick() == [.idle])
        for fact in [working, bashStarted, pending] { _ = session.apply(fact) }
        #expect(session.tick() == [.state(.preUseTool([bash], isPending: true))])
        _ = session.apply(working)
        #expect(session.tick().isEmpty)
    }
}
