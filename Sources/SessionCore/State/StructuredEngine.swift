public import ClaudeCode
public import Foundation

/// Concludes what a structured session is doing from what its program says on its standard output, and turns that into the
/// session's events.
///
/// A pure value. A turn begins with its first message and ends with the program's `result`, or with the program; so there
/// is exactly one `turn.completed` for each `turn.started`. Between two turns the program may say that it is idle or go on:
/// the session is idle when it says so and no prompt is on its way.
public struct StructuredEngine: Sendable {
    public private(set) var view: StateView
    /// Told before this engine was there, too.
    public var toldTools = ToldTools()
    /// What the program last said of itself; names as in `session.settings`.
    public private(set) var settings: [String: JSONValue] = [:]
    /// As `usage.updated`.
    public private(set) var usage: JSONValue?
    /// Prompts that were given to the program and are not done, in order.
    public internal(set) var prompts: [OpenPrompt] = []
    /// Of the turn that runs.
    public internal(set) var turnPrompts: [String] = []
    /// Prompts that the program is asked to give back: whoever asked says what became of it.
    public var withdrawing: Set<String> = []

    /// What the program says of itself.
    var isRunning = false
    /// Prompts that begin the turn whose first message has not come.
    var starting: [String] = []
    private var cost = 0.0
    private var ended = false

    public init(at now: Date) { view = StateView(activity: .idle, since: now, source: .stream) }

    // MARK: What is done to the program

    /// A prompt goes to the program.
    /// - Parameter onChannel: as a channel notification; else as a line of its input.
    public mutating func give(
        _ id: String, _ text: String, by: String, onChannel: Bool = false, at now: Date
    ) -> [DerivedEvent] {
        var events: [DerivedEvent] = []
        prompts.append(OpenPrompt(id: id, text: text, by: by, isOnChannel: onChannel))
        conclude(at: now, &events)
        return events
    }

    /// Whether it is news that the program has a prompt.
    public mutating func deliver(_ id: String) -> Bool {
        guard let index = prompts.firstIndex(where: { $0.id == id && !$0.isDelivered }) else { return false }
        prompts[index].isDelivered = true
        return true
    }

    /// Whether a prompt that is given now has to wait.
    public var isBusy: Bool { view.turn != nil || !prompts.isEmpty || isRunning }

    /// A prompt that was given was taken back, or turned out to be known.
    public mutating func drop(_ id: String, at now: Date) -> [DerivedEvent] {
        var events: [DerivedEvent] = []
        prompts.removeAll { $0.id == id }
        conclude(at: now, &events)
        return events
    }

    /// The questions that are open, from the ledger.
    public mutating func asked(_ questions: [PermissionLedger.Question], at now: Date) -> [DerivedEvent] {
        var events: [DerivedEvent] = []
        view.permissions = questions.map {
            OpenPermission(
                id: $0.id, tool: $0.toolName, input: $0.input, toolUseID: $0.toolUseID, since: $0.since)
        }
        conclude(at: now, &events)
        return events
    }

    /// The program is gone.
    public mutating func end(at now: Date) -> [DerivedEvent] {
        var events: [DerivedEvent] = []
        closeTurn(outcome: "ended", nil, at: now, &events)
        isRunning = false
        prompts = []
        ended = true
        conclude(at: now, &events)
        return events
    }

    // MARK: What it says

    /// Takes one message and answers the events that follow from it, in order. Deltas, questions and answers are not the
    /// engine's.
    public mutating func handle(_ message: StreamMessage, at now: Date) -> [DerivedEvent] {
        guard !ended else { return [] }
        var events: [DerivedEvent] = []
        switch message {
        case .sessionState(let state):
            isRunning = state != "idle"
            if !isRunning { endChannelPrompts() }
        case .prompt(let id, let state): take(id, state, &events)
        case .turnBegins(let settings):
            openTurn(at: now, &events)
            learn(Self.members(of: settings), &events)
        case .assistant(let content):
            openTurn(at: now, &events)
            take(content, at: now, &events)
        case .user(let user): take(user, at: now, &events)
        case .delta: openTurn(at: now, &events)
        case .toolProgress(let id, let name, let seconds):
            events.append(
                DerivedEvent(
                    .toolProgress,
                    ["tool_use_id": .string(id), "tool_name": .string(name), "elapsed_seconds": .number(seconds)]))
        case .retry(let retry):
            openTurn(at: now, &events)
            events.append(DerivedEvent(.turnRetrying, Self.data(of: retry)))
        case .task(let task): events.append(Self.event(of: task))
        case .title(let title): learn(["title": .string(title)], &events)
        case .result(let result): take(result, at: now, &events)
        case .permission: openTurn(at: now, &events)
        case .question, .questionWithdrawn, .answer, .nothing, .other: break
        }
        conclude(at: now, &events)
        return events
    }

    /// A setting that was changed from here.
    public mutating func learn(_ members: [String: JSONValue]) -> [DerivedEvent] {
        var events: [DerivedEvent] = []
        learn(members, &events)
        return events
    }

    private mutating func learn(_ members: [String: JSONValue], _ events: inout [DerivedEvent]) {
        let news = members.filter { settings[$0.key] != $0.value }
        guard !news.isEmpty else { return }
        settings.merge(news) { _, new in new }
        events.append(DerivedEvent(.sessionSettings, .object(news)))
    }

    // MARK: Prompts and turns

    private mutating func take(_ id: String, _ state: StreamMessage.PromptState, _ events: inout [DerivedEvent]) {
        switch state {
        case .queued:
            guard let index = prompts.firstIndex(where: { $0.id == id }) else { return }
            prompts[index].isNew = true
            guard !prompts[index].isQueued, view.turn != nil || index > 0 else { return }
            prompts[index].isQueued = true
            events.append(DerivedEvent(.promptQueued, ["prompt_id": .string(id)]))
        case .started:
            guard !starting.contains(id), !turnPrompts.contains(id), !absorb(id) else { return }
            if let index = prompts.firstIndex(where: { $0.id == id }) { prompts[index].isBegun = true }
            starting.append(id)
        case .completed, .cancelled:
            // One that had not begun was given up: an interrupt that comes with it does that.
            if state == .cancelled, !withdrawing.contains(id), let prompt = prompts.first(where: { $0.id == id }),
                !prompt.isBegun
            {
                events.append(DerivedEvent(.promptWithdrawn, ["prompt_id": .string(id), "by": "session"]))
            }
            starting.removeAll { $0 == id }
            prompts.removeAll { $0.id == id }
        }
    }

    /// Takes a prompt into the turn that runs: the program does so while a tool runs.
    /// - Returns: false without a turn, and for what is no prompt that waits.
    private mutating func absorb(_ id: String) -> Bool {
        guard view.turn != nil, let index = prompts.firstIndex(where: { $0.id == id }), prompts[index].isNew,
            !prompts[index].isBegun
        else { return false }
        prompts[index].isBegun = true
        prompts[index].isAbsorbed = true
        turnPrompts.append(id)
        return true
    }

    private mutating func openTurn(at now: Date, _ events: inout [DerivedEvent]) {
        guard view.turn == nil else { return }
        turnPrompts = starting.isEmpty ? presumed : starting
        starting = []
        beginChannelPrompts()
        let texts = turnPrompts.compactMap { id in prompts.first { $0.id == id }?.text }
        let prompt = texts.isEmpty ? nil : texts.joined(separator: "\n")
        view.turn = OpenTurn(prompt: prompt, promptID: turnPrompts.first, since: now)
        var data: [String: JSONValue] = ["prompt_ids": .array(turnPrompts.map { .string($0) })]
        if let prompt { data["prompt"] = EventText.cut(prompt) }
        if let first = turnPrompts.first { data["prompt_id"] = .string(first) }
        events.append(DerivedEvent(.turnStarted, .object(data)))
    }

    private mutating func take(_ result: StreamResult, at now: Date, _ events: inout [DerivedEvent]) {
        // A program that did not get as far as a turn says why with a result too.
        guard view.turn != nil || !starting.isEmpty else { return }
        openTurn(at: now, &events)
        let isCut = result.terminalReason?.hasPrefix("aborted") ?? false
        let outcome = isCut ? "interrupted" : result.isError ? "failed" : "completed"
        closeTurn(outcome: outcome, result, at: now, &events)
        let news = Self.usage(of: result)
        if news != usage, result.totalCost != nil || !result.models.isEmpty {
            usage = news
            events.append(DerivedEvent(.usageUpdated, news))
        }
    }

    private mutating func closeTurn(
        outcome: String, _ result: StreamResult?, at now: Date, _ events: inout [DerivedEvent]
    ) {
        for tool in view.tools {
            events.append(
                DerivedEvent(
                    .toolCompleted,
                    [
                        "tool_use_id": .string(tool.id), "tool_name": .string(tool.name), "is_error": true,
                        "interrupted": true,
                    ]))
        }
        view.tools = []
        guard let turn = view.turn else { return }
        view.turn = nil
        let measured = Int64(max(now.timeIntervalSince(turn.since), 0) * 1000)
        var data: [String: JSONValue] = [
            "outcome": .string(outcome), "duration_ms": .integer(result?.milliseconds.map(Int64.init) ?? measured),
        ]
        forgetUnproven()
        let ids = turnPrompts + (result?.promptIDs ?? []).filter { !turnPrompts.contains($0) }
        data["prompt_ids"] = .array(ids.map { .string($0) })
        if let first = ids.first { data["prompt_id"] = .string(first) }
        turnPrompts = []
        prompts.removeAll(where: \.isAbsorbed)
        if let result {
            if outcome != "completed" { data["reason"] = .string(result.terminalReason ?? result.subtype) }
            if let text = result.text { data["message"] = EventText.cut(text) }
            if let turns = result.turns { data["num_turns"] = .integer(Int64(turns)) }
            if let usage = result.usage { data["usage"] = Self.json(of: usage) }
            if let total = result.totalCost {
                data["cost_usd"] = .number(max(total - cost, 0))
                cost = total
            }
            if let reason = result.stopReason { data["stop_reason"] = .string(reason) }
            if let status = result.apiErrorStatus { data["api_error_status"] = .integer(Int64(status)) }
            if result.denials > 0 { data["denials"] = .integer(Int64(result.denials)) }
        } else {
            data["reason"] = "exited"
        }
        events.append(DerivedEvent(.turnCompleted, .object(data)))
    }

    // MARK: Messages and tools

    private mutating func take(_ content: StreamContent, at now: Date, _ events: inout [DerivedEvent]) {
        for block in content.blocks {
            switch block {
            case .text(let text): events.append(Self.message(.messageAssistant, text, content))
            case .thinking(let text):
                if !text.isEmpty { events.append(Self.message(.messageThinking, text, content)) }
            case .toolUse(let id, let name, let text):
                guard !view.tools.contains(where: { $0.id == id }) else { continue }
                let input = EventText.input(text)
                var data: [String: JSONValue] = [
                    "tool_use_id": .string(id), "tool_name": .string(name), "tool_input": input,
                    "message_id": .string(content.messageID),
                ]
                if let parent = content.parent { data["parent_tool_use_id"] = .string(parent) }
                guard toldTools.add(.object(data)) else { continue }
                view.tools.append(OpenTool(id: id, name: name, input: input, since: now))
                events.append(DerivedEvent(.toolStarted, .object(data)))
            }
        }
    }

    private mutating func take(_ user: StreamUser, at now: Date, _ events: inout [DerivedEvent]) {
        for result in user.results {
            guard let index = view.tools.firstIndex(where: { $0.id == result.id }) else { continue }
            let tool = view.tools.remove(at: index)
            var data: [String: JSONValue] = [
                "tool_use_id": .string(tool.id), "tool_name": .string(tool.name), "is_error": .bool(result.isError),
                "output": EventText.cut(result.text),
            ]
            if result.isError { data["error"] = EventText.cut(result.text) }
            events.append(DerivedEvent(.toolCompleted, .object(data)))
        }
        guard user.results.isEmpty, let text = user.text, !text.hasPrefix("[Request interrupted by user") else {
            return
        }
        // What the program says of a prompt that it had taken before is no news.
        guard !user.isReplay || view.turn != nil || !starting.isEmpty else { return }
        if user.isReplay, let id = user.id, view.turn != nil, !turnPrompts.contains(id), !absorb(id),
            !prompts.contains(where: { $0.id == id })
        {
            return
        }
        openTurn(at: now, &events)
        var data = EventText.members(text)
        if user.isReplay, let id = user.id { data["prompt_id"] = .string(id) }
        if let id = user.id, user.parent == nil { data["uuid"] = .string(id) }
        if let parent = user.parent { data["parent_tool_use_id"] = .string(parent) }
        events.append(DerivedEvent(.messageUser, .object(data)))
    }

    // MARK: The conclusion

    mutating func conclude(at now: Date, _ events: inout [DerivedEvent]) {
        let activity: Activity =
            ended ? .idle : !view.permissions.isEmpty ? .pending : isBusy ? .working : .idle
        guard activity != view.activity else { return }
        view.activity = activity
        view.since = now
        view.waitingFor = activity == .pending ? "permission prompt" : nil
        var data: [String: JSONValue] = [
            "activity": .string(activity.rawValue), "source": .string(StateSource.stream.rawValue),
        ]
        if let waitingFor = view.waitingFor { data["waiting_for"] = .string(waitingFor) }
        events.append(DerivedEvent(.sessionActivity, .object(data)))
    }
}
