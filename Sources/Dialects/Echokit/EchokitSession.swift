public import SessionCore

/// Something known of a session, in the order it became known.
public enum EchokitFact: Sendable, Equatable {
    case prompt(String)
    case text(String)
    case thinking(String)
    case toolStarted(id: String, name: String, input: JSONValue)
    case toolEnded(id: String, isError: Bool)
    /// The turn ended normally or was interrupted.
    case turnEnded
    /// What the state engine concludes; `waitingFor` says what a pending session waits for.
    case activity(Activity, waitingFor: String?)
}

/// Turns facts into echokit's states and messages: the transition table of seed-protocols 1.5, with "pending" and
/// "idle" taken from facts where echokit guesses by five seconds of silence.
public struct EchokitSession: Sendable {
    public private(set) var state: EchokitState = .idle

    private var activity: Activity = .idle
    /// Tool calls that ended, newest last: their late reports start nothing.
    private var endedTools: [String] = []

    /// How long echokit waits between two `session_idle`, in seconds.
    public static let idlePeriod = 5.0

    public init() {}

    /// Takes a fact and answers what all clients are told.
    public mutating func apply(_ fact: EchokitFact) -> [EchokitServerMessage] {
        switch fact {
        case .prompt(let text):
            if case .preUseTool = state { return [] }
            return move(to: .working(prompt: text))
        case .text(let text): return settle(after: output(text, isThinking: false))
        case .thinking(let text): return settle(after: output(text, isThinking: true))
        case .toolStarted(let id, let name, let input): return toolStarted(id: id, name: name, input: input)
        case .toolEnded(let id, let isError): return settle(after: toolEnded(id: id, isError: isError))
        case .turnEnded:
            if case .preUseTool = state { return settle(after: move(to: .stopUseTool(isError: false))) }
            return move(to: .idle)
        case .activity(let activity, let waitingFor):
            self.activity = activity
            return follow(activity, waitingFor: waitingFor)
        }
    }

    /// Call it every ``idlePeriod`` without news: echokit repeats itself then.
    public mutating func tick() -> [EchokitServerMessage] {
        if activity == .idle, state != .idle { return move(to: .idle) }
        switch state {
        case .idle: return [.idle]
        case .preUseTool(_, isPending: true): return [.state(state)]
        case .working, .output, .preUseTool, .stopUseTool: return []
        }
    }

    private mutating func output(_ text: String, isThinking: Bool) -> [EchokitServerMessage] {
        if case .preUseTool = state { return [] }
        return move(to: .output(text, isThinking: isThinking))
    }

    private mutating func toolStarted(id: String, name: String, input: JSONValue) -> [EchokitServerMessage] {
        guard !endedTools.contains(id) else { return [] }
        let tool = EchokitTool(id: id, name: name, input: input)
        guard case .preUseTool(var tools, let isPending) = state else {
            return move(to: .preUseTool([tool], isPending: false))
        }
        if let known = tools.firstIndex(where: { $0.id == id }) {
            guard tools[known] != tool, !tools[known].done else { return [] }
            tools[known] = tool
        } else {
            tools.removeAll { $0.id.isEmpty }
            tools.append(tool)
        }
        return move(to: .preUseTool(tools, isPending: isPending))
    }

    private mutating func toolEnded(id: String, isError: Bool) -> [EchokitServerMessage] {
        endedTools.append(id)
        if endedTools.count > 64 { endedTools.removeFirst() }
        guard case .preUseTool(var tools, let isPending) = state else { return [] }
        if isError { return move(to: .stopUseTool(isError: true)) }
        for index in tools.indices where tools[index].id == id { tools[index].done = true }
        guard tools.allSatisfy({ $0.done || $0.id.isEmpty }) else {
            return move(to: .preUseTool(tools, isPending: isPending))
        }
        return move(to: .stopUseTool(isError: false))
    }

    private mutating func follow(_ activity: Activity, waitingFor: String?) -> [EchokitServerMessage] {
        switch (activity, state) {
        case (.idle, .idle): return []
        case (.idle, _): return move(to: .idle)
        case (.working, .idle): return move(to: .working(prompt: ""))
        case (.working, .preUseTool(let tools, isPending: true)):
            return move(to: .preUseTool(tools, isPending: false))
        case (.working, _): return []
        case (.pending, .preUseTool(let tools, _)): return move(to: .preUseTool(tools, isPending: true))
        case (.pending, _):
            let tool = EchokitTool(id: "", name: waitingFor ?? "permission", input: [:])
            return move(to: .preUseTool([tool], isPending: true))
        }
    }

    /// A report that comes after the session went idle is shown, and the session is idle again.
    private mutating func settle(after messages: [EchokitServerMessage]) -> [EchokitServerMessage] {
        guard activity == .idle, !messages.isEmpty, state != .idle else { return messages }
        return messages + move(to: .idle)
    }

    private mutating func move(to next: EchokitState) -> [EchokitServerMessage] {
        guard next != state else { return [] }
        let previous = state
        state = next
        return [.state(next)] + companions(of: next, after: previous)
    }

    /// The messages of the documented family that go with a state.
    private func companions(of state: EchokitState, after previous: EchokitState) -> [EchokitServerMessage] {
        switch state {
        case .idle: return [.idle]
        case .working, .stopUseTool(isError: false): return [.running]
        case .stopUseTool: return []
        case .output(let text, let isThinking): return [.output(text, isThinking: isThinking)]
        case .preUseTool(let tools, let isPending):
            guard let current = tools.last(where: { !$0.done }) else { return [] }
            if isPending {
                if case .preUseTool(let before, isPending: true) = previous, before.last == tools.last { return [] }
                return [.pending(tool: current)]
            }
            if case .preUseTool(let before, _) = previous, before.count == tools.count { return [] }
            return [.toolRequest(tool: current)]
        }
    }
}
