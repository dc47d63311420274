import ClaudeCode
import Foundation
import SessionCore
import Testing

/// Prompts that went as channel notifications: the program's output says nothing of them.
@Suite struct ChannelPromptTests {
    private struct Run {
        var engine = StructuredEngine(at: Date(timeIntervalSince1970: 0))
        var told: [String] = []

        private mutating func tell(_ events: [DerivedEvent]) {
            told += events.filter { $0.type != .sessionSettings }.map { event in
                let ids = event.data["prompt_ids"]?.array?.compactMap(\.string) ?? []
                let words = ids + [event.data["prompt_id"], event.data["activity"]].compactMap { $0?.string }
                return
                    ([event.type.rawValue] + (event.type == .turnStarted || event.type == .turnCompleted ? ids : words))
                    .joined(separator: " ")
            }
        }

        mutating func give(_ id: String, onChannel: Bool = true) {
            tell(engine.give(id, "text of \(id)", by: "ann", onChannel: onChannel, at: Date()))
        }

        mutating func took(_ ids: String..., joins: Bool = false) { tell(engine.took(ids, joins: joins, at: Date())) }

        mutating func says(_ messages: StreamMessage...) {
            for message in messages { tell(engine.handle(message, at: Date())) }
        }
    }

    private let running = StreamMessage.sessionState("running")
    private let idle = StreamMessage.sessionState("idle")
    private let begins = StreamMessage.turnBegins(StreamSettings())
    private let result = StreamMessage(parsing: Data(#"{"type":"result","subtype":"success"}"#.utf8)) ?? .nothing

    @Test func oneThatIsSeenBeforeItsTurnBeginsIsNamedByIt() {
        var run = Run()
        run.give("a")
        #expect(run.engine.isQuiet)
        run.took("a")
        #expect(!run.engine.isQuiet)
        run.says(running, begins, result, idle)
        #expect(
            run.told == [
                "session.activity working", "message.user a", "turn.started a", "turn.completed a",
                "session.activity idle",
            ])
        #expect(run.engine.prompts.isEmpty)
    }

    @Test func oneThatIsSeenOnlyInItsTurnIsNamedByItAllTheSame() {
        var run = Run()
        run.give("a")
        run.says(running, begins)
        #expect(!run.engine.isQuiet)
        run.took("a")
        run.says(result, idle)
        #expect(
            run.told == [
                "session.activity working", "turn.started a", "message.user a", "turn.completed a",
                "session.activity idle",
            ])
        #expect(run.engine.prompts.isEmpty)
    }

    @Test func oneThatIsSeenAfterItsTurnIsDoneThen() {
        var run = Run()
        run.give("a")
        run.says(running, begins, result, idle)
        #expect(run.engine.view.activity == .working)
        run.took("a")
        #expect(run.engine.prompts.isEmpty)
        #expect(run.told.suffix(3) == ["turn.completed", "message.user a", "session.activity idle"])
    }

    @Test func oneThatIsTakenIntoATurnThatRunsEndsWithIt() {
        var run = Run()
        run.give("a", onChannel: false)
        run.says(running, .prompt(id: "a", .queued), .prompt(id: "a", .started), begins)
        run.give("b")
        run.took("b", joins: true)
        run.says(result, .prompt(id: "a", .completed), idle)
        #expect(run.told.contains("turn.started a"))
        #expect(run.told.contains("turn.completed a b"))
        #expect(run.engine.prompts.isEmpty)
        #expect(run.engine.view.activity == .idle)
    }

    @Test func oneThatWaitsForATurnThatRunsBeginsTheNext() {
        var run = Run()
        run.give("a", onChannel: false)
        run.says(running, .prompt(id: "a", .queued), .prompt(id: "a", .started), begins)
        run.give("b")
        run.says(result, .prompt(id: "a", .completed), begins)
        run.took("b")
        run.says(result, idle)
        #expect(
            run.told.filter { $0.hasPrefix("turn.") } == [
                "turn.started a", "turn.completed a", "turn.started b", "turn.completed b",
            ])
        #expect(run.engine.view.activity == .idle)
    }

    @Test func oneThatIsSeenBeforeTheTurnBeforeItHasEndedBeginsTheNext() {
        var run = Run()
        run.give("a", onChannel: false)
        run.says(running, .prompt(id: "a", .queued), .prompt(id: "a", .started), begins)
        run.give("b")
        run.took("b")
        run.says(result, .prompt(id: "a", .completed), begins, result, idle)
        #expect(
            run.told.filter { $0.hasPrefix("turn.") } == [
                "turn.started a", "turn.completed a", "turn.started b", "turn.completed b",
            ])
        #expect(run.engine.prompts.isEmpty)
    }

    @Test(arguments: [false, true])
    func severalThatBecameOneMessageAreOfOneTurn(isSeenLate: Bool) {
        var run = Run()
        run.give("a")
        run.give("b")
        if isSeenLate { run.says(running, begins) }
        run.took("a", "b")
        if !isSeenLate { run.says(running, begins) }
        run.says(result, idle)
        #expect(run.told.filter { $0.hasPrefix("message.") } == ["message.user a", "message.user b"])
        #expect(run.told.contains("turn.completed a b"))
        #expect(run.engine.prompts.isEmpty)
        #expect(run.engine.view.activity == .idle)
    }

    @Test func oneThatWasNotTakenIsAPromptLikeAnyOther() {
        var run = Run()
        run.give("a")
        #expect(run.engine.prompts.map(\.isWaiting) == [false], "it cannot be taken back")
        run.engine.redirect("a")
        #expect(run.engine.prompts.map(\.isWaiting) == [true])
        run.took("a")
        run.says(running, .prompt(id: "a", .queued), .prompt(id: "a", .started), begins, result)
        run.says(.prompt(id: "a", .completed), idle)
        #expect(run.told.filter { $0.hasPrefix("turn.") } == ["turn.started a", "turn.completed a"])
        #expect(run.engine.prompts.isEmpty)
    }

    @Test func oneOfWhichTheProgramMakesNoTurnDoesNotKeepItBusy() {
        var run = Run()
        run.give("a")
        run.took("a")
        run.says(running, idle)
        #expect(run.engine.prompts.isEmpty)
        #expect(run.engine.view.activity == .idle)
        run.says(begins)
        #expect(run.told.last == "turn.started" || run.told.contains("turn.started"))
    }
}
