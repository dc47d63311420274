import ClaudeCode
import Foundation
import SessionCore
import Testing

/// One observation of a table, and what must follow from it.
private struct Step {
    var after: Double
    var input: StateInput
    /// Types of the events that follow, with `session.activity` written as `=activity`.
    var events: [String]

    init(_ after: Double, _ input: StateInput, _ events: [String]) {
        self.after = after
        self.input = input
        self.events = events
    }
}

private let start = Date(timeIntervalSince1970: 1_800_000_000)

private func summary(_ events: [DerivedEvent]) -> [String] {
    events.map { event in
        switch event.type {
        case .sessionActivity: "=\(event.data["activity"]?.string ?? "")"
        case .turnCompleted: "turn.completed:\(event.data["outcome"]?.string ?? "")"
        case .permissionResolved: "permission.resolved:\(event.data["resolution"]?.string ?? "")"
        case .toolCompleted: "tool.completed:\(event.data["is_error"]?.bool == true ? "error" : "ok")"
        default: event.type.rawValue
        }
    }
}

@discardableResult
private func run(
    _ steps: [Step], engine: StateEngine = StateEngine(at: start), sourceLocation: SourceLocation = #_sourceLocation
) -> StateEngine {
    var engine = engine
    var now = start
    for (index, step) in steps.enumerated() {
        now += step.after
        let events = summary(engine.handle(step.input, at: now))
        #expect(events == step.events, "step \(index): \(step.input)", sourceLocation: sourceLocation)
    }
    return engine
}

private func file(_ status: StatusFile.Status) -> StateInput { .statusFile(StatusFile(status: status)) }
private let permission = file(.waiting("permission prompt"))

private func prompt(_ text: String, _ id: String = "p1") -> StateInput {
    .hook(HookReport(event: .userPromptSubmit, promptID: id, prompt: text))
}
private func stop(_ id: String = "p1") -> StateInput {
    .hook(HookReport(event: .stop, promptID: id, message: "done"))
}
private func hook(
    _ event: HookEvent, _ id: String?, _ command: String = "touch a", error: String? = nil
) -> StateInput {
    .hook(
        HookReport(
            event: event, promptID: "p1", toolName: "Bash", toolUseID: id,
            toolInput: #"{"command":"\#(command)"}"#, error: error))
}

/// The orders of hooks and status-file changes below were recorded from the CLI, version 2.1.329.
@Suite struct StateEngineTests {
    @Test func normalTurn() {
        let engine = run([
            Step(0, file(.idle), []),
            Step(1, prompt("SAY hello"), ["turn.started"]),
            Step(0.001, file(.busy), ["=working"]),
            Step(0.17, stop(), ["turn.completed:completed"]),
            Step(0.04, file(.idle), ["=idle"]),
        ])
        #expect(engine.view.source == .statusFile)
        #expect(engine.view.turn == nil)
    }

    @Test func toolThatNobodyIsAskedAbout() {
        run([
            Step(0, file(.idle), []), Step(1, prompt("BASH echo hi"), ["turn.started"]),
            Step(0.04, file(.busy), ["=working"]),
            Step(0.02, hook(.preToolUse, "t1"), ["tool.started"]),
            Step(0.04, hook(.postToolUse, "t1"), ["tool.completed:ok"]),
            Step(0.04, stop(), ["turn.completed:completed"]), Step(0.06, file(.idle), ["=idle"]),
        ])
    }

    @Test func permissionGiven() {
        var engine = run([
            Step(0, file(.idle), []), Step(1, prompt("BASH touch a"), ["turn.started"]),
            Step(0.04, file(.busy), ["=working"]), Step(0.03, hook(.preToolUse, "t1"), ["tool.started"]),
            Step(0.07, hook(.permissionRequest, nil), ["=pending", "permission.requested"]),
            Step(0.02, permission, []),
        ])
        #expect(engine.view.permissions.map(\.toolUseID) == ["t1"])
        #expect(engine.view.permissions.map(\.id) == ["t1"])
        #expect(engine.view.permissions.first?.input == ["command": "touch a"])
        #expect(engine.view.waitingFor == "permission prompt")
        engine = run(
            [
                Step(1.2, file(.busy), ["permission.resolved:allowed", "=working"]),
                Step(0.03, hook(.postToolUse, "t1"), ["tool.completed:ok"]),
                Step(0.04, stop(), ["turn.completed:completed"]), Step(0.05, file(.idle), ["=idle"]),
            ], engine: engine)
        #expect(engine.view.permissions.isEmpty)
    }

    @Test func aQuestionIsToldOnceTheSessionIsPendingAndAnAnswerFromElsewhereEndsThat() {
        let engine = run([
            Step(0, file(.idle), []), Step(1, prompt("BASH touch a"), ["turn.started"]),
            Step(0.04, file(.busy), ["=working"]), Step(0.03, hook(.preToolUse, "t1"), ["tool.started"]),
            Step(0.07, hook(.permissionRequest, nil), ["=pending", "permission.requested"]),
            // Before the file says anything: nobody saw the dialog.
            Step(0.005, .answered("another"), []), Step(0, .answered("t1"), ["=working"]),
            Step(0.02, .tick, []), Step(60, .tick, []), Step(0.03, hook(.postToolUse, "t1"), ["tool.completed:ok"]),
            Step(0.04, stop(), ["turn.completed:completed"]), Step(0.05, file(.idle), ["=idle"]),
        ])
        #expect(engine.view.permissions.isEmpty)
    }

    @Test func permissionRefused() {
        run([
            Step(0, file(.idle), []), Step(1, prompt("BASH touch b"), ["turn.started"]),
            Step(0.05, file(.busy), ["=working"]), Step(0.03, hook(.preToolUse, "t1"), ["tool.started"]),
            Step(0.03, hook(.permissionRequest, nil), ["=pending", "permission.requested"]), Step(0.02, permission, []),
            Step(
                1.5, file(.idle),
                ["permission.resolved:denied", "tool.completed:error", "turn.completed:interrupted", "=idle"]),
            Step(0.1, .transcript(.stop(.interrupted(duringTool: true))), []),
        ])
    }

    @Test func severalToolsAskOneAfterAnother() {
        var steps = [
            Step(0, file(.idle), []), Step(1, prompt("PAR 2"), ["turn.started"]), Step(0.03, file(.busy), ["=working"]),
        ]
        for id in ["t1", "t2"] {
            steps += [
                Step(0.03, hook(.preToolUse, id, id), ["tool.started"]),
                Step(0.03, hook(.permissionRequest, nil, id), ["=pending", "permission.requested"]),
                Step(0.02, permission, []),
                Step(5, file(.busy), ["permission.resolved:allowed", "=working"]),
                Step(0.03, hook(.postToolUse, id, id), ["tool.completed:ok"]),
            ]
        }
        steps += [Step(0.04, stop(), ["turn.completed:completed"]), Step(0.05, file(.idle), ["=idle"])]
        run(steps)
    }

    @Test func questionIsAnsweredBeforeTheFileSaysSo() {
        run([
            Step(0, file(.idle), []), Step(1, prompt("ask"), ["turn.started"]), Step(0.04, file(.busy), ["=working"]),
            Step(0.4, hook(.preToolUse, "t1"), ["tool.started"]),
            Step(0.1, hook(.permissionRequest, nil), ["=pending", "permission.requested"]),
            Step(0.1, file(.waiting("input needed")), ["=pending"]),
            Step(1.5, hook(.postToolUse, "t1"), ["permission.resolved:allowed", "tool.completed:ok"]),
            Step(0.1, file(.busy), ["=working"]), Step(0.03, stop(), ["turn.completed:completed"]),
            Step(0.07, file(.idle), ["=idle"]),
        ])
    }

    @Test func escapeWhileStreaming() {
        run([
            Step(0, file(.idle), []), Step(1, prompt("DRIP"), ["turn.started"]), Step(0.03, file(.busy), ["=working"]),
            Step(1.3, file(.idle), ["turn.completed:interrupted", "=idle"]),
        ])
    }

    @Test func escapeWhileAToolRuns() {
        run([
            Step(0, file(.idle), []), Step(1, prompt("BASH sleep 3"), ["turn.started"]),
            Step(0.03, file(.busy), ["=working"]), Step(0.02, hook(.preToolUse, "t1"), ["tool.started"]),
            Step(1, file(.idle), ["tool.completed:error", "turn.completed:interrupted", "=idle"]),
        ])
    }

    @Test func failingTool() {
        run([
            Step(0, file(.idle), []), Step(1, prompt("x"), ["turn.started"]), Step(0.03, file(.busy), ["=working"]),
            Step(0.02, hook(.preToolUse, "t1"), ["tool.started"]),
            Step(1, hook(.postToolUseFailure, "t1", error: "exit 1"), ["tool.completed:error"]),
            Step(0.04, stop(), ["turn.completed:completed"]), Step(0.05, file(.idle), ["=idle"]),
        ])
    }

    @Test func modelFails() {
        let failure = HookReport(event: .stopFailure, promptID: "p1", message: "API Error: 400", error: "unknown")
        var engine = run([
            Step(0, file(.idle), []), Step(1, prompt("x"), ["turn.started"]), Step(0.03, file(.busy), ["=working"]),
        ])
        let events = engine.handle(.hook(failure), at: start + 2)
        #expect(summary(events) == ["turn.completed:failed"])
        #expect(events[0].data["message"] == "API Error: 400")
    }

    @Test func backgroundShellAndItsNotice() {
        let engine = run([
            Step(0, file(.idle), []), Step(1, prompt("x"), ["turn.started"]), Step(0.05, file(.busy), ["=working"]),
            Step(0.1, hook(.preToolUse, "t1"), ["tool.started"]),
            Step(0.05, hook(.postToolUse, "t1"), ["tool.completed:ok"]),
            Step(0.07, stop(), ["turn.completed:completed"]), Step(0.04, file(.shell), ["=idle"]),
        ])
        #expect(engine.view.backgroundShell)
        // When the shell ends the CLI tells itself: a turn that nobody typed.
        run(
            [
                Step(4, file(.idle), ["=idle"]), Step(0.001, prompt("<task-notification>", "p2"), ["turn.started"]),
                Step(0.03, file(.busy), ["=working"]), Step(0.02, stop("p2"), ["turn.completed:completed"]),
                Step(0.04, file(.idle), ["=idle"]),
            ], engine: engine)
    }

    @Test func messagesTypedDuringATurnMakeOneMore() {
        let engine = run([
            Step(0, file(.idle), []), Step(1, prompt("DRIP"), ["turn.started"]), Step(0.05, file(.busy), ["=working"]),
            Step(0.7, prompt("one"), []), Step(0.5, prompt("two"), []),
            Step(0.8, stop(), ["turn.completed:completed"]), Step(0.1, file(.idle), ["=idle"]),
            Step(0.01, file(.busy), ["turn.started", "=working"]),
        ])
        #expect(engine.view.turn?.prompt == "one\ntwo")
        run([Step(0.02, stop("p2"), ["turn.completed:completed"]), Step(0.1, file(.idle), ["=idle"])], engine: engine)
    }

    @Test func aStaleIdleDoesNotEndTheTurnThatAHookJustOpened() {
        run([
            Step(0, file(.idle), []), Step(1, prompt("x"), ["turn.started"]), Step(0.01, file(.idle), []),
            Step(0.02, file(.busy), ["=working"]), Step(0.1, file(.idle), ["turn.completed:interrupted", "=idle"]),
        ])
    }

    @Test func aTurnWhoseBusyStatusWasMissedIsClosedLater() {
        run([
            Step(0, file(.idle), []), Step(1, prompt("x"), ["turn.started"]), Step(0.5, .tick, []),
            Step(3, .tick, ["turn.completed:interrupted"]),
        ])
    }

    @Test func dialogIsPendingButNoPermission() {
        let engine = run([
            Step(0, prompt("x"), ["turn.started", "=working"]), Step(1, stop(), ["turn.completed:completed", "=idle"]),
            Step(0, file(.idle), []), Step(1, file(.waiting("dialog open")), ["=pending"]),
            Step(1, file(.idle), ["=idle"]),
        ])
        #expect(engine.view.permissions.isEmpty)
    }

    @Test func fileAloneTellsTurnsAndPermissions() {
        run([
            Step(0, file(.idle), []), Step(1, file(.busy), ["=working"]), Step(1.5, .tick, ["turn.started"]),
            Step(0.1, permission, ["=pending", "permission.requested"]),
            Step(1, file(.busy), ["permission.resolved:allowed", "=working"]),
            Step(1, file(.idle), ["turn.completed:interrupted", "=idle"]),
            // A turn too short for a tick.
            Step(1, file(.busy), ["=working"]),
            Step(0.2, file(.idle), ["turn.started", "turn.completed:interrupted", "=idle"]),
        ])
    }

    @Test func hooksAlone() {
        run([
            Step(0, prompt("x"), ["turn.started", "=working"]), Step(0.1, hook(.preToolUse, "t1"), ["tool.started"]),
            Step(0.1, hook(.permissionRequest, nil), ["=pending", "permission.requested"]),
            Step(5, hook(.postToolUse, "t1"), ["permission.resolved:allowed", "tool.completed:ok", "=working"]),
            Step(1, stop(), ["turn.completed:completed", "=idle"]),
            Step(1, prompt("y", "p2"), ["turn.started", "=working"]),
            Step(1, .transcript(.stop(.interrupted(duringTool: false))), ["turn.completed:interrupted", "=idle"]),
        ])
    }

    @Test func aCommandThatIsNotClaudeIsJudgedBySilence() {
        let engine = run([
            Step(0, .tick, []), Step(1, .output, ["=working"]), Step(4, .tick, []), Step(2, .tick, ["=idle"]),
            Step(10, .typed, ["=working"]), Step(5, .tick, ["=idle"]),
        ])
        #expect(engine.view.source == .silence)
    }

    @Test func silenceCountsForNothingOnceThereIsAFile() {
        run([
            Step(0, .output, ["=working"]), Step(1, file(.idle), ["=idle"]), Step(0.1, .output, []),
            Step(0.1, .typed, []), Step(60, .tick, []),
        ])
    }

    @Test func theFileGoesWhenTheCLIExits() {
        run([
            Step(0, file(.idle), []), Step(1, prompt("x"), ["turn.started"]), Step(0.1, file(.busy), ["=working"]),
            Step(1, .statusFileGone, ["turn.completed:ended"]),
            Step(0.1, .hook(HookReport(event: .sessionEnd, reason: "other")), ["=idle"]),
        ])
    }

    @Test func killed() {
        var engine = run([
            Step(0, file(.idle), []), Step(1, prompt("x"), ["turn.started"]), Step(0.1, file(.busy), ["=working"]),
            Step(0.1, hook(.preToolUse, "t1"), ["tool.started"]),
            Step(1, .ended, ["tool.completed:error", "turn.completed:ended", "=idle"]),
        ])
        #expect(engine.handle(file(.busy), at: start + 100).isEmpty)
    }

    @Test func unknownStatusChangesNothing() {
        run([Step(0, file(.busy), ["=working"]), Step(0.1, file(.unknown("dreaming")), [])])
    }

    // MARK: Reported again

    /// Turns as their hooks report them.
    static let turns: [(name: String, hooks: [StateInput])] = [
        ("a tool", [prompt("x"), hook(.preToolUse, "t1"), hook(.postToolUse, "t1"), stop()]),
        (
            "one that fails",
            [prompt("x"), hook(.preToolUse, "t1"), hook(.postToolUseFailure, "t1", error: "no"), stop()]
        ),
        (
            "two at once",
            [
                prompt("x"), hook(.preToolUse, "t1"), hook(.preToolUse, "t2"), hook(.postToolUse, "t2"),
                hook(.postToolUse, "t1"), stop(),
            ]
        ),
        (
            "one that asks",
            [prompt("x"), hook(.preToolUse, "t1"), hook(.permissionRequest, nil), hook(.postToolUse, "t1"), stop()]
        ),
        (
            "two turns",
            [prompt("x"), hook(.preToolUse, "t1"), hook(.postToolUse, "t1"), stop(), prompt("y", "p2"), stop("p2")]
        ),
    ]

    @Test("a hook that comes twice is told once", arguments: turns.map(\.name))
    func everyHookTwice(name: String) throws {
        let hooks = try #require(Self.turns.first { $0.name == name }).hooks
        func told(_ inputs: [StateInput]) -> [String] {
            var engine = StateEngine(at: start)
            let events = ([file(.idle)] + inputs + [file(.busy), file(.idle)]).flatMap { engine.handle($0, at: start) }
            return summary(events).filter { !$0.hasPrefix("=") }
        }
        let once = told(hooks)
        #expect(once.contains { $0.hasPrefix("tool.completed") })
        // A request for a permission names no call: two of them may be of two.
        let twice = hooks.flatMap { input -> [StateInput] in
            guard case .hook(let report) = input, report.event != .permissionRequest else { return [input] }
            return [input, input]
        }
        #expect(told(twice) == once)
        // A tool's report once more when the tool has ended.
        for case .hook(let report) in hooks where report.event == .preToolUse {
            #expect(told(hooks.dropLast() + [.hook(report)] + hooks.suffix(1)) == once)
        }
    }

    @Test func anotherCallUnderAnIdThatIsNotUniqueIsTold() {
        run([
            Step(0, file(.idle), []), Step(1, prompt("x"), ["turn.started"]), Step(0.1, file(.busy), ["=working"]),
            Step(0.1, hook(.preToolUse, "call_0", "ls"), ["tool.started"]),
            Step(0.1, hook(.postToolUse, "call_0", "ls"), ["tool.completed:ok"]),
            Step(0.1, hook(.preToolUse, "call_0", "pwd"), ["tool.started"]),
            Step(0.1, hook(.postToolUse, "call_0", "pwd"), ["tool.completed:ok"]),
        ])
    }

    @Test func whatWasToldBeforeTheWorkerWasKilledIsNotToldAgain() {
        var engine = StateEngine(at: start)
        _ = engine.toldTools.add(
            ["tool_use_id": "t1", "tool_name": "Bash", "tool_input": ["command": "touch a"], "recovered": true])
        run(
            [
                Step(0, prompt("x"), ["turn.started", "=working"]), Step(0.1, hook(.preToolUse, "t1"), []),
                Step(0.1, hook(.postToolUse, "t1"), []), Step(0.1, hook(.preToolUse, "t2"), ["tool.started"]),
            ], engine: engine)
    }
}
