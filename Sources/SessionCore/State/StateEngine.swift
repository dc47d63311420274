import ClaudeCode
public import Foundation

/// Concludes what a terminal session is doing from what can be observed: the CLI's status file first, then its
/// hooks, then its transcript, and the terminal's silence last of all, only while nothing better was ever seen.
///
/// A pure value. No hook fires when a person interrupts a turn or says no, so a turn that hooks opened is closed
/// by the status file too; the content of a permission comes from its hook, its end from whatever is first to
/// show that the session went on.
public struct StateEngine: Sendable {
    public private(set) var view: StateView
    /// Told before this engine was there, too.
    public var toldTools = ToldTools()

    private let quiet: TimeInterval
    private var file: StatusFile.Status?
    private var fileSeen = false
    private var hookSeen = false
    private var transcriptSeen = false
    /// What hooks and transcript say.
    private var reported: (activity: Activity, source: StateSource)?
    private var lastStir: Date?
    /// The file turned busy, and no hook has said yet which prompt it is about.
    private var unexplainedBusySince: Date?
    /// Prompts that were sent while a turn ran.
    private var queued: [String] = []
    private var permissionCount = 0
    private var ended = false

    /// How long a busy status waits for the hook that explains it before it counts as a turn of its own.
    private static let patience: TimeInterval = 1

    /// - Parameter quiet: how long the terminal must be silent to count as idle when silence is all there is.
    public init(at now: Date, quiet: TimeInterval = 5) {
        self.view = StateView(activity: .idle, since: now, source: .silence)
        self.quiet = quiet
    }

    /// Takes one observation and answers the events that follow from it, in order.
    public mutating func handle(_ input: StateInput, at now: Date) -> [DerivedEvent] {
        guard !ended else { return [] }
        var events: [DerivedEvent] = []
        switch input {
        case .statusFile(let report): take(report.status, at: now, &events)
        case .statusFileGone:
            file = nil
            closeTurn(.ended, at: now, &events)
        case .hook(let report): take(report, at: now, &events)
        case .transcript(let item): take(item, at: now, &events)
        case .answered(let id): answered(id)
        case .output, .typed: lastStir = now
        case .tick:
            startUnexplainedTurn(at: now, patience: Self.patience, &events)
            closeForgottenTurn(at: now, &events)
        case .ended:
            closeTurn(.ended, at: now, &events)
            file = nil
            reported = (.idle, view.source)
            ended = true
        }
        conclude(at: now, &events)
        return Self.tellingActivityFirst(events)
    }

    /// Whoever hears of a question and asks at once where the session stands is told that it waits.
    private static func tellingActivityFirst(_ events: [DerivedEvent]) -> [DerivedEvent] {
        guard let last = events.last, last.type == .sessionActivity,
            let asked = events.firstIndex(where: { $0.type == .permissionRequested })
        else { return events }
        return events[..<asked] + [last] + events[asked...].dropLast()
    }

    // MARK: The status file

    private mutating func take(_ status: StatusFile.Status, at now: Date, _ events: inout [DerivedEvent]) {
        let before = file
        if case .unknown = status { return }
        file = status
        fileSeen = true
        switch status {
        case .busy:
            if case .waiting = before { resolvePermissions(.allowed, &events) }
            guard before != .busy, view.turn == nil else { return }
            if !queued.isEmpty {
                startTurn(OpenTurn(prompt: queued.joined(separator: "\n"), promptID: nil, since: now), &events)
                queued = []
            } else if unexplainedBusySince == nil {
                unexplainedBusySince = now
            }
        case .waiting(let what):
            guard !hookSeen, view.permissions.isEmpty, what == "permission prompt" || what == "input needed" else {
                return
            }
            startUnexplainedTurn(at: now, patience: 0, &events)
            request(OpenPermission(id: nextPermissionID(), since: now), suggestions: nil, &events)
        case .idle, .shell:
            if !hookSeen { startUnexplainedTurn(at: now, patience: 0, &events) }
            unexplainedBusySince = nil
            // A file that did not turn busy yet says nothing of the turn that a hook just opened.
            switch before {
            case .busy, .waiting: closeTurn(.interrupted, at: now, &events)
            case .idle, .shell, .unknown, nil: break
            }
        case .unknown:
            break
        }
    }

    /// Closes a turn so short-lived that its busy status was never seen, and that was interrupted.
    private mutating func closeForgottenTurn(at now: Date, _ events: inout [DerivedEvent]) {
        if file == .idle, view.turn == nil, now.timeIntervalSince(view.since) > Self.patience { queued = [] }
        guard file == .idle || file == .shell, let turn = view.turn,
            now.timeIntervalSince(turn.since) > 2 * Self.patience
        else { return }
        closeTurn(.interrupted, at: now, &events)
    }

    private mutating func startUnexplainedTurn(
        at now: Date, patience: TimeInterval, _ events: inout [DerivedEvent]
    ) {
        guard let since = unexplainedBusySince, now.timeIntervalSince(since) >= patience else { return }
        unexplainedBusySince = nil
        guard view.turn == nil else { return }
        startTurn(OpenTurn(prompt: nil, promptID: nil, since: since), &events)
    }

    // MARK: Hooks

    private mutating func take(_ report: HookReport, at now: Date, _ events: inout [DerivedEvent]) {
        hookSeen = true
        switch report.event {
        case .userPromptSubmit:
            unexplainedBusySince = nil
            if let turn = view.turn, turn.prompt == report.prompt, turn.promptID == report.promptID {
                // The same report once more.
            } else if view.turn != nil {
                // Typed while the turn runs: joins it, or makes one more when it is over, which no hook announces.
                if queued.count < 64, let prompt = report.prompt { queued.append(prompt) }
            } else {
                queued = []
                startTurn(OpenTurn(prompt: report.prompt, promptID: report.promptID, since: now), &events)
            }
            reported = (.working, .hook)
        case .preToolUse:
            startTool(report, at: now, &events)
            reported = (view.permissions.isEmpty ? .working : .pending, .hook)
        case .permissionRequest:
            requestPermission(report, at: now, &events)
            reported = (.pending, .hook)
        case .postToolUse, .postToolUseFailure:
            endTool(report, &events)
            reported = (view.permissions.isEmpty ? .working : .pending, .hook)
        case .stop:
            startUnexplainedTurn(at: now, patience: 0, &events)
            closeTurn(.completed, message: report.message, at: now, &events)
            reported = (.idle, .hook)
        case .stopFailure:
            startUnexplainedTurn(at: now, patience: 0, &events)
            closeTurn(.failed, message: report.message ?? report.error, at: now, &events)
            reported = (.idle, .hook)
        case .sessionEnd:
            closeTurn(.ended, at: now, &events)
            reported = (.idle, .hook)
        case .notification:
            // Six seconds late, and says nothing that the others did not.
            break
        }
    }

    private mutating func startTool(_ report: HookReport, at now: Date, _ events: inout [DerivedEvent]) {
        guard let id = report.toolUseID, !view.tools.contains(where: { $0.id == id }) else { return }
        let tool = OpenTool(id: id, name: report.toolName ?? "", input: value(of: report.toolInput), since: now)
        let data: JSONValue = ["tool_use_id": .string(id), "tool_name": .string(tool.name), "tool_input": tool.input]
        guard toldTools.add(data) else { return }
        view.tools.append(tool)
        events.append(DerivedEvent(.toolStarted, data))
    }

    private mutating func endTool(_ report: HookReport, _ events: inout [DerivedEvent]) {
        guard let id = report.toolUseID else { return }
        let failed = report.event == .postToolUseFailure
        if let index = view.permissions.firstIndex(where: { $0.toolUseID == id }) {
            resolve(view.permissions.remove(at: index), failed && report.isInterrupt ? .denied : .allowed, &events)
        }
        guard let index = view.tools.firstIndex(where: { $0.id == id }) else { return }
        let tool = view.tools.remove(at: index)
        events.append(completion(of: tool, isError: failed, error: report.error, interrupted: report.isInterrupt))
    }

    private mutating func requestPermission(_ report: HookReport, at now: Date, _ events: inout [DerivedEvent]) {
        let input = value(of: report.toolInput)
        // The request does not name its call: it is the newest open one that looks the same.
        let taken = Set(view.permissions.compactMap(\.toolUseID))
        let call = view.tools.last {
            $0.name == report.toolName && !taken.contains($0.id) && (report.toolInput == nil || $0.input == input)
        }
        let toolUseID = report.toolUseID ?? call?.id
        let permission = OpenPermission(
            id: toolUseID ?? nextPermissionID(), tool: report.toolName, input: input, toolUseID: toolUseID, since: now)
        guard !view.permissions.contains(where: { $0.id == permission.id }) else { return }
        request(permission, suggestions: report.permissionSuggestions, &events)
    }

    /// The hook's answer is on its way to the program, which says nothing of it until the tool has ended.
    private mutating func answered(_ id: String) {
        guard let index = view.permissions.firstIndex(where: { $0.id == id }) else { return }
        view.permissions.remove(at: index)
        reported = (view.permissions.isEmpty ? .working : .pending, .hook)
    }

    // MARK: The transcript

    private mutating func take(_ item: TranscriptItem, at now: Date, _ events: inout [DerivedEvent]) {
        transcriptSeen = true
        switch item {
        case .stop(.interrupted):
            closeTurn(.interrupted, at: now, &events)
            reported = (.idle, .transcript)
        case .stop(.ended):
            closeTurn(.completed, at: now, &events)
            reported = (.idle, .transcript)
        case .userText, .absorbedText, .assistantText, .thinking, .toolUse, .toolResult:
            // Taken into the turn that runs, it makes none of its own.
            if case .absorbedText(let text) = item, let index = queued.firstIndex(of: text) {
                queued.remove(at: index)
            }
            // Without hooks or file, lines at least show that the session works.
            if !hookSeen, !fileSeen { reported = (.working, .transcript) }
        }
    }

    // MARK: Turns and permissions

    private mutating func startTurn(_ turn: OpenTurn, _ events: inout [DerivedEvent]) {
        view.turn = turn
        var data: [String: JSONValue] = [:]
        if let prompt = turn.prompt { data["prompt"] = .string(prompt) }
        if let promptID = turn.promptID { data["prompt_id"] = .string(promptID) }
        events.append(DerivedEvent(.turnStarted, .object(data)))
    }

    private enum Outcome: String { case completed, failed, interrupted, ended }

    private mutating func closeTurn(
        _ outcome: Outcome, message: String? = nil, at now: Date, _ events: inout [DerivedEvent]
    ) {
        resolvePermissions(outcome == .completed ? .allowed : .denied, &events)
        for tool in view.tools {
            events.append(completion(of: tool, isError: true, error: nil, interrupted: true))
        }
        view.tools = []
        guard let turn = view.turn else { return }
        view.turn = nil
        var data: [String: JSONValue] = [
            "outcome": .string(outcome.rawValue),
            "duration_ms": .integer(Int64(max(now.timeIntervalSince(turn.since), 0) * 1000)),
        ]
        if let promptID = turn.promptID { data["prompt_id"] = .string(promptID) }
        if let message { data["message"] = .string(message) }
        events.append(DerivedEvent(.turnCompleted, .object(data)))
    }

    private enum Resolution: String { case allowed, denied }

    private mutating func resolvePermissions(_ resolution: Resolution, _ events: inout [DerivedEvent]) {
        for permission in view.permissions { resolve(permission, resolution, &events) }
        view.permissions = []
    }

    private func resolve(_ permission: OpenPermission, _ resolution: Resolution, _ events: inout [DerivedEvent]) {
        var data: [String: JSONValue] = ["id": .string(permission.id), "resolution": .string(resolution.rawValue)]
        if let tool = permission.tool { data["tool_name"] = .string(tool) }
        events.append(DerivedEvent(.permissionResolved, .object(data)))
    }

    private mutating func request(
        _ permission: OpenPermission, suggestions: String?, _ events: inout [DerivedEvent]
    ) {
        view.permissions.append(permission)
        var data: [String: JSONValue] = ["id": .string(permission.id)]
        if let tool = permission.tool { data["tool_name"] = .string(tool) }
        if let input = permission.input { data["tool_input"] = input }
        if let toolUseID = permission.toolUseID { data["tool_use_id"] = .string(toolUseID) }
        if let suggestions { data["suggestions"] = value(of: suggestions) }
        events.append(DerivedEvent(.permissionRequested, .object(data)))
    }

    private mutating func nextPermissionID() -> String {
        permissionCount += 1
        return "permission-\(permissionCount)"
    }

    private func completion(of tool: OpenTool, isError: Bool, error: String?, interrupted: Bool) -> DerivedEvent {
        var data: [String: JSONValue] = [
            "tool_use_id": .string(tool.id), "tool_name": .string(tool.name), "is_error": .bool(isError),
        ]
        if interrupted { data["interrupted"] = true }
        if let error { data["error"] = .string(error) }
        return DerivedEvent(.toolCompleted, .object(data))
    }

    private func value(of text: String?) -> JSONValue { text.flatMap { JSONValue(parsing: $0) } ?? .null }

    // MARK: The conclusion

    private mutating func conclude(at now: Date, _ events: inout [DerivedEvent]) {
        let (activity, source) = conclusion(at: now)
        let shell = file == .shell
        var waitingFor: String?
        if activity == .pending {
            if case .waiting(let what) = file { waitingFor = what } else { waitingFor = "permission prompt" }
        }
        let changed =
            activity != view.activity || shell != view.backgroundShell || waitingFor != view.waitingFor
        if activity != view.activity { view.since = now }
        view.activity = activity
        view.source = source
        view.backgroundShell = shell
        view.waitingFor = waitingFor
        guard changed else { return }
        var data: [String: JSONValue] = ["activity": .string(activity.rawValue), "source": .string(source.rawValue)]
        if shell { data["background_shell"] = true }
        if let waitingFor { data["waiting_for"] = .string(waitingFor) }
        events.append(DerivedEvent(.sessionActivity, .object(data)))
    }

    private func conclusion(at now: Date) -> (Activity, StateSource) {
        if ended { return (.idle, view.source) }
        let asks = !view.permissions.isEmpty
        switch file {
        // The file is some milliseconds behind the hook that asks.
        case .idle where asks, .shell where asks, .busy where asks: return (.pending, .hook)
        case .idle, .shell: return (.idle, .statusFile)
        case .busy: return (.working, .statusFile)
        case .waiting: return (.pending, .statusFile)
        case .unknown, nil: break
        }
        if let reported { return reported }
        guard !fileSeen else { return (.idle, .statusFile) }
        guard let lastStir, now.timeIntervalSince(lastStir) < quiet else { return (.idle, .silence) }
        return (.working, .silence)
    }
}
