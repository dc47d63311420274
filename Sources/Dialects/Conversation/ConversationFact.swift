public import Foundation
public import SessionCore

/// What a session's event says to a dialect that shows conversations: the event vocabulary of the native API (API v1,
/// "Events"), read once for all of them.
public enum ConversationFact: Sendable, Equatable {
    case user(text: String, id: String?)
    case assistant(text: String)
    case thinking(text: String)
    /// A piece of an answer that is being written.
    case delta(text: String)
    case toolStarted(ToolCall)
    case toolProgress(ToolCall, seconds: Double)
    case toolEnded(ToolCall, isError: Bool, text: String?)
    /// Said to the session's people by the tool that is for it.
    case channelReply(text: String)
    case channelStatus(String, detail: String?)
    case permissionAsked(PermissionQuestion)
    case permissionResolved(id: String, allowed: Bool, by: String?)
    case turnStarted
    case turnEnded(TurnSummary)
    case activity(Activity)
    case lifecycle(Lifecycle, detail: String?)
    /// What changed of what the program says of itself; names as in `session.settings`.
    case settings([String: JSONValue])
    /// Events up to here are not to be had.
    case gap
}

/// One call of a tool.
public struct ToolCall: Sendable, Equatable {
    public var id: String
    public var name: String
    public var input: JSONValue

    public init(id: String, name: String, input: JSONValue = .object([:])) {
        self.id = id
        self.name = name
        self.input = input
    }
}

/// A decision that a session waits for.
public struct PermissionQuestion: Sendable, Equatable {
    public var id: String
    public var tool: String
    public var input: JSONValue
    public var toolUseID: String?
    public var suggestions: JSONValue?
    public var description: String?

    public init(
        id: String, tool: String, input: JSONValue, toolUseID: String? = nil, suggestions: JSONValue? = nil,
        description: String? = nil
    ) {
        self.id = id
        self.tool = tool
        self.input = input
        self.toolUseID = toolUseID
        self.suggestions = suggestions
        self.description = description
    }

    /// What the tool is about to do, in one line: its own description, else its most telling argument.
    public var summary: String {
        if let description, !description.isEmpty { return description }
        for key in ["description", "command", "file_path", "url", "path", "query", "pattern"] {
            if let text = input[key]?.string, !text.isEmpty { return text }
        }
        return "use \(tool)"
    }
}

/// How a turn ended.
public struct TurnSummary: Sendable, Equatable {
    /// `completed`, `failed`, `interrupted`, `ended`.
    public var outcome: String
    public var message: String?
    public var durationMilliseconds: Int64
    /// In US dollars; nil when nobody knows.
    public var cost: Double?
    public var usage: JSONValue?
    public var stopReason: String?

    public init(
        outcome: String, message: String? = nil, durationMilliseconds: Int64 = 0, cost: Double? = nil,
        usage: JSONValue? = nil, stopReason: String? = nil
    ) {
        self.outcome = outcome
        self.message = message
        self.durationMilliseconds = durationMilliseconds
        self.cost = cost
        self.usage = usage
        self.stopReason = stopReason
    }
}

/// A fact with its place in the session's log.
public struct ConversationEvent: Sendable, Equatable {
    public var seq: UInt64
    public var time: Date
    public var fact: ConversationFact
    /// The call of the subagent that it is about.
    public var parent: String?

    public init(seq: UInt64, time: Date, fact: ConversationFact, parent: String? = nil) {
        self.seq = seq
        self.time = time
        self.fact = fact
        self.parent = parent
    }

    /// Said among agents, not to the person.
    var isAside: Bool {
        guard parent != nil else { return false }
        switch fact {
        case .user, .assistant, .thinking, .delta: return true
        default: return false
        }
    }

    /// nil for events that say nothing to a conversation.
    public init?(_ event: SessionEvent) {
        guard let fact = ConversationFact(event.type.rawValue, event.data) else { return nil }
        self.init(
            seq: event.seq, time: event.time, fact: fact, parent: event.data["parent_tool_use_id"]?.string)
    }
}

extension ConversationFact {
    /// - Parameter type: as in the event; what is unknown, or lacks what it is about, says nothing.
    public init?(_ type: String, _ data: JSONValue) {
        switch type {
        case "message.user":
            self = .user(text: data["text"]?.string ?? "", id: data["id"]?.string ?? data["prompt_id"]?.string)
        case "message.assistant": self = .assistant(text: data["text"]?.string ?? "")
        case "message.thinking": self = .thinking(text: data["text"]?.string ?? "")
        case "message.delta":
            guard let text = data["text"]?.string else { return nil }
            self = .delta(text: text)
        case "tool.started":
            guard let call = ToolCall(data) else { return nil }
            self = .toolStarted(call)
        case "tool.progress":
            guard let call = ToolCall(data) else { return nil }
            self = .toolProgress(call, seconds: data["elapsed_seconds"]?.double ?? 0)
        case "tool.completed":
            guard let call = ToolCall(data) else { return nil }
            self = .toolEnded(
                call, isError: data["is_error"]?.bool ?? false,
                text: data["error"]?.string ?? data["output"]?.string)
        case "channel.reply": self = .channelReply(text: data["text"]?.string ?? "")
        case "channel.status": self = .channelStatus(data["status"]?.string ?? "", detail: data["detail"]?.string)
        case "permission.requested":
            guard let question = PermissionQuestion(data) else { return nil }
            self = .permissionAsked(question)
        case "permission.resolved":
            guard let id = data["id"]?.string else { return nil }
            let how = data["resolution"]?.string ?? ""
            self = .permissionResolved(id: id, allowed: how.hasPrefix("allow"), by: data["by"]?.string)
        case "turn.started": self = .turnStarted
        case "turn.completed":
            self = .turnEnded(
                TurnSummary(
                    outcome: data["outcome"]?.string ?? "completed", message: data["message"]?.string,
                    durationMilliseconds: data["duration_ms"]?.integer ?? 0,
                    cost: data["cost_usd"]?.double, usage: data["usage"], stopReason: data["stop_reason"]?.string))
        case "session.activity":
            guard let activity = data["activity"]?.string.flatMap(Activity.init) else { return nil }
            self = .activity(activity)
        case "session.settings":
            guard case .object(let members) = data else { return nil }
            self = .settings(members)
        case "gap": self = .gap
        default:
            guard type.hasPrefix("session."),
                let lifecycle = data["lifecycle"]?.string.flatMap(Lifecycle.init)
            else { return nil }
            self = .lifecycle(lifecycle, detail: data["detail"]?.string)
        }
    }
}

extension ToolCall {
    init?(_ data: JSONValue) {
        guard let id = data["tool_use_id"]?.string else { return nil }
        self.init(id: id, name: data["tool_name"]?.string ?? "", input: data["tool_input"] ?? .object([:]))
    }
}

extension PermissionQuestion {
    init?(_ data: JSONValue) {
        guard let id = data["id"]?.string else { return nil }
        var input = data["tool_input"] ?? .object([:])
        if input == .null { input = .object([:]) }
        self.init(
            id: id, tool: data["tool_name"]?.string ?? "", input: input, toolUseID: data["tool_use_id"]?.string,
            suggestions: data["suggestions"], description: data["description"]?.string)
    }
}

extension JSONValue {
    /// A number, whole or not.
    public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The value as compact JSON text.
    public var text: String {
        (try? JSONEncoder.rookery.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }
}
