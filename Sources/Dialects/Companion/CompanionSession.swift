import Foundation
public import SessionCore

/// What is known of a session besides its events, for Companion's `session_init`.
public struct CompanionFacts: Sendable, Equatable {
    public var id: SessionID
    public var name: String?
    public var model: String?
    public var permissionMode: String?
    public var directory: String

    public init(
        id: SessionID, name: String? = nil, model: String? = nil, permissionMode: String? = nil,
        directory: String = "/workspace"
    ) {
        self.id = id
        self.name = name
        self.model = model
        self.permissionMode = permissionMode
        self.directory = directory
    }
}

/// A session as Companion's browsers see it: numbered messages, a history, a phase, open permissions (seed-protocols
/// 3.3, 3.4).
public struct CompanionSession: Sendable {
    /// Messages and bytes of the history.
    public static let historyCapacity = 2000
    private static let historyBytes = 8 << 20

    public private(set) var facts: CompanionFacts
    public private(set) var phase = CompanionPhase.starting
    public private(set) var isConnected = false
    private var replay = CompanionReplay()
    private var history: [(seq: UInt64, message: JSONValue, size: Int)] = []
    private var historySize = 0
    private var questions: [(question: PermissionQuestion, time: Date)] = []
    private var asked = CompanionMessageIDs()
    private var known = CompanionMessageIDs()
    /// What the program last said of itself; names as in `session.settings`.
    private var settings: [String: JSONValue] = [:]
    private var cost = 0.0
    private var turns = 0
    private var lastText = ""

    public init(_ facts: CompanionFacts) { self.facts = facts }

    // MARK: From the session

    /// Takes a fact and answers what every browser is told.
    public mutating func apply(_ event: ConversationEvent) -> [CompanionFrame] {
        var messages: [CompanionServerMessage] = []
        switch event.fact {
        case .user where event.parent != nil: break
        case .user(let text, let id):
            messages = [.userMessage(text, id: id ?? "user-\(event.seq)", time: event.time)]
        case .assistant(let text):
            if event.parent == nil { lastText = text }
            messages = [
                .assistant(
                    message: message(event.seq, ["type": "text", "text": .string(text)]), parent: event.parent,
                    time: event.time)
            ]
        case .thinking(let text):
            messages = [
                .assistant(
                    message: message(event.seq, ["type": "thinking", "thinking": .string(text)]),
                    parent: event.parent, time: event.time)
            ]
        case .delta(let text):
            messages = [
                .streamEvent(
                    [
                        "type": "content_block_delta", "index": 0,
                        "delta": ["type": "text_delta", "text": .string(text)],
                    ], parent: event.parent)
            ]
        case .toolStarted(let call):
            let block: JSONValue = [
                "type": "tool_use", "id": .string(call.id), "name": .string(call.name), "input": call.input,
            ]
            messages = [
                .assistant(message: message(event.seq, block), parent: event.parent, time: event.time),
                .toolProgress(call, seconds: 0),
            ]
        case .toolProgress(let call, let seconds): messages = [.toolProgress(call, seconds: seconds)]
        case .toolEnded(let call, let isError, let text):
            messages = [.systemEvent(toolResult(call, isError: isError, text: text))]
        // The calls of the tool say the same.
        case .channelReply, .channelStatus: break
        case .permissionAsked(let question):
            questions.removeAll { $0.question.id == question.id }
            questions.append((question, event.time))
            _ = asked.insert(question.id)
            messages = [.permissionRequest(question, time: event.time)] + move(to: .awaitingPermission)
        case .permissionResolved(let id, _, _):
            questions.removeAll { $0.question.id == id }
            messages = [.permissionCancelled(id)]
        case .turnStarted: lastText = ""
        case .turnEnded(let turn): messages = end(turn, event.seq)
        case .activity(let activity): messages = follow(activity)
        case .lifecycle(let lifecycle, let detail): messages = follow(lifecycle, detail)
        case .settings(let members): messages = learn(members)
        case .gap:
            replay.forget(through: (event.seq + 1) * CompanionFrame.perEvent - 1)
        }
        return number(messages, event.seq)
    }

    private mutating func number(_ messages: [CompanionServerMessage], _ seq: UInt64) -> [CompanionFrame] {
        messages.enumerated().map { index, message in
            let frame = CompanionFrame(seq: seq * CompanionFrame.perEvent + UInt64(index), message)
            lastSeq = frame.seq ?? lastSeq
            guard message.isBuffered || message.isInHistory else { return frame }
            let json = message.json
            let size = json.size
            if message.isBuffered { replay.append(frame, size: size) }
            if message.isInHistory { keep(frame.seq ?? 0, json, size) }
            return frame
        }
    }

    private mutating func keep(_ seq: UInt64, _ message: JSONValue, _ size: Int) {
        history.append((seq, message, size))
        historySize += size
        while history.count > 1, history.count > Self.historyCapacity || historySize > Self.historyBytes {
            historySize -= history.removeFirst().size
        }
    }

    private mutating func move(to next: CompanionPhase) -> [CompanionServerMessage] {
        guard next != phase else { return [] }
        defer { phase = next }
        return [.phase(next, previous: phase)]
    }

    private mutating func follow(_ activity: Activity) -> [CompanionServerMessage] {
        switch activity {
        case .idle: [.statusChange("idle")] + move(to: .ready)
        case .working: [.statusChange("running")] + move(to: .streaming)
        case .pending: move(to: .awaitingPermission)
        }
    }

    private mutating func follow(_ lifecycle: Lifecycle, _ detail: String?) -> [CompanionServerMessage] {
        switch lifecycle {
        case .queued, .starting: return move(to: .starting)
        case .running:
            isConnected = true
            return [.cliConnected] + move(to: .ready)
        case .parking, .stopping: return []
        case .parked, .stopped, .failed, .deleted:
            let cancelled = questions.prefix(8).map { CompanionServerMessage.permissionCancelled($0.question.id) }
            questions = []
            isConnected = false
            let failure: [CompanionServerMessage] =
                lifecycle == .failed ? [.error("the session failed: \(detail ?? "it says no more")")] : []
            return cancelled + [.cliDisconnected] + failure + move(to: .terminated)
        }
    }

    /// The session's state, where its events do not say.
    public mutating func settle(lifecycle: Lifecycle, activity: Activity?) {
        isConnected = lifecycle == .running
        if !lifecycle.hasIncarnation { questions = [] }
        switch (lifecycle, activity) {
        case (.queued, _), (.starting, _): phase = .starting
        case (.running, .working): phase = .streaming
        case (.running, .pending): phase = .awaitingPermission
        case (.running, _), (.parking, _), (.stopping, _): phase = .ready
        case (.parked, _), (.stopped, _), (.failed, _), (.deleted, _): phase = .terminated
        }
    }

    private mutating func end(_ turn: TurnSummary, _ seq: UInt64) -> [CompanionServerMessage] {
        turns += 1
        cost += turn.cost ?? 0
        let isError = turn.outcome == "failed"
        var data: [String: JSONValue] = [
            "type": "result", "subtype": turn.outcome == "completed" ? "success" : "error_during_execution",
            "is_error": .bool(isError), "duration_ms": .integer(turn.durationMilliseconds), "duration_api_ms": 0,
            "num_turns": .integer(Int64(turns)), "total_cost_usd": .number(cost),
            "stop_reason": turn.stopReason.map { .string($0) } ?? .null, "usage": Self.usage(turn.usage),
            "session_id": .string(facts.id.description),
            "uuid": .string("result-\(seq)"),
        ]
        let text = turn.message ?? lastText
        if isError { data["errors"] = [.string(text)] } else { data["result"] = .string(text) }
        lastText = ""
        return [
            .result(.object(data)),
            .sessionUpdate(["total_cost_usd": .number(cost), "num_turns": .integer(Int64(turns))]),
        ]
    }

    /// Tokens in the CLI's words.
    private static func usage(_ usage: JSONValue?) -> JSONValue {
        [
            "input_tokens": usage?["input_tokens"] ?? 0, "output_tokens": usage?["output_tokens"] ?? 0,
            "cache_read_input_tokens": usage?["cache_read_tokens"] ?? 0,
            "cache_creation_input_tokens": usage?["cache_creation_tokens"] ?? 0,
        ]
    }

    /// Takes what is known of the session elsewhere; what its program said of itself is newer.
    public mutating func refresh(_ facts: CompanionFacts) {
        self.facts = facts
        if let model = settings["model"]?.string { self.facts.model = model }
        if let mode = settings["permission_mode"]?.string { self.facts.permissionMode = mode }
        if let title = settings["title"]?.string { self.facts.name = title }
    }

    /// What the program says of itself, as far as browsers show it.
    private mutating func learn(_ members: [String: JSONValue]) -> [CompanionServerMessage] {
        settings.merge(members) { _, new in new }
        if let model = members["model"]?.string { facts.model = model }
        if let mode = members["permission_mode"]?.string { facts.permissionMode = mode }
        var messages: [CompanionServerMessage] = []
        if let title = members["title"]?.string {
            facts.name = title
            messages.append(.nameUpdate(title))
        }
        let shown = members.keys.compactMap { Self.settingNames[$0] }
        guard !shown.isEmpty, case .object(let state) = state else { return messages }
        return [.sessionUpdate(.object(state.filter { shown.contains($0.key) }))] + messages
    }

    /// What Companion calls our settings.
    private static let settingNames = [
        "model": "model", "permission_mode": "permissionMode", "tools": "tools", "mcp_servers": "mcp_servers",
        "commands": "slash_commands", "version": "claude_code_version", "cwd": "cwd",
    ]

    /// A message of the model, with one block, as the CLI writes it.
    private func message(_ seq: UInt64, _ block: JSONValue) -> JSONValue {
        [
            "id": .string("msg-\(seq)"), "type": "message", "role": "assistant",
            "model": .string(facts.model ?? ""), "content": [block], "stop_reason": .null,
            "usage": ["input_tokens": 0, "output_tokens": 0],
        ]
    }

    private func toolResult(_ call: ToolCall, isError: Bool, text: String?) -> JSONValue {
        [
            "type": "user", "parent_tool_use_id": .null,
            "message": [
                "role": "user",
                "content": [
                    [
                        "type": "tool_result", "tool_use_id": .string(call.id), "is_error": .bool(isError),
                        "content": .string(text ?? ""),
                    ]
                ],
            ],
        ]
    }

    // MARK: To one browser

    /// What a browser is told when it connects.
    public var opening: [CompanionFrame] {
        var frames = [CompanionFrame(seq: nil, .sessionInit(state))]
        if !history.isEmpty { frames.append(CompanionFrame(seq: nil, .messageHistory(history.map(\.message)))) }
        for (question, time) in questions {
            frames.append(CompanionFrame(seq: nil, .permissionRequest(question, time: time)))
        }
        if !isConnected { frames.append(CompanionFrame(seq: nil, .cliDisconnected)) }
        return frames
    }

    /// The newest message's number.
    public private(set) var lastSeq: UInt64 = 0

    /// What a browser missed that has everything through `lastSeq`: after a gap the whole history, and of what is not in
    /// it what is still here.
    /// - Parameter last: what is newer, the browser has already.
    public func resumption(after lastSeq: UInt64, through last: UInt64 = .max) -> [CompanionFrame] {
        let missed = replay.all(after: lastSeq).filter { ($0.seq ?? 0) <= last }
        if lastSeq == 0 || lastSeq >= replay.floor {
            return missed.isEmpty ? [] : [CompanionFrame(seq: nil, .eventReplay(missed))]
        }
        let transient = missed.filter { !$0.message.isInHistory }
        var frames = [CompanionFrame(seq: nil, .messageHistory(history.map(\.message)))]
        if !transient.isEmpty { frames.append(CompanionFrame(seq: nil, .eventReplay(transient))) }
        return frames
    }

    /// Whether a message with this id of its client's was not taken before.
    public mutating func isNew(_ clientID: String?) -> Bool { clientID.map { known.insert($0) } ?? true }

    /// The question of that id, while it is open.
    public func question(_ id: String) -> PermissionQuestion? { questions.first { $0.question.id == id }?.question }

    /// Whether the session asked for the permission of that id, answered or not.
    public func asked(_ id: String) -> Bool { asked.contains(id) }

    public var state: JSONValue {
        [
            "session_id": .string(facts.id.description), "backend_type": "claude",
            "name": facts.name.map { .string($0) } ?? .null, "model": .string(facts.model ?? ""),
            "cwd": settings["cwd"] ?? .string(facts.directory), "tools": settings["tools"] ?? [],
            "permissionMode": .string(facts.permissionMode ?? "default"),
            "claude_code_version": settings["version"] ?? "", "mcp_servers": settings["mcp_servers"] ?? [],
            "agents": [], "slash_commands": settings["commands"] ?? [], "skills": [], "total_cost_usd": .number(cost),
            "num_turns": .integer(Int64(turns)), "context_used_percent": 0, "is_compacting": false,
            "git_branch": "", "is_worktree": false, "is_containerized": true, "repo_root": "", "git_ahead": 0,
            "git_behind": 0, "total_lines_added": 0, "total_lines_removed": 0,
        ]
    }
}

/// The last thousand ids of messages or permissions.
struct CompanionMessageIDs: Sendable {
    static let capacity = 1000
    private var known: Set<String> = []
    private var order: [String] = []

    func contains(_ id: String) -> Bool { known.contains(id) }

    /// Whether it was not there.
    mutating func insert(_ id: String) -> Bool {
        guard known.insert(id).inserted else { return false }
        order.append(id)
        if order.count > Self.capacity { known.remove(order.removeFirst()) }
        return true
    }
}

extension JSONValue {
    /// Bytes of all strings and names in it: what a message costs, more or less.
    var size: Int {
        switch self {
        case .string(let text): text.utf8.count + 2
        case .array(let values): values.reduce(2) { $0 + $1.size }
        case .object(let members): members.reduce(2) { $0 + $1.key.utf8.count + 4 + $1.value.size }
        default: 8
        }
    }
}
