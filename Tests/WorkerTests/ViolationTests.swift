import Testing

@testable import WorkerControl

@Suite struct ViolationTallyTests {
    @Test func tellsAtOnceAndThenOnceASecond() {
        var tally = ViolationTally(names: [1: "mount"])
        let start = ContinuousClock.now
        #expect(tally.patience(at: start) == -1)
        tally.note(1)
        #expect(tally.due(at: start) == [.init(call: "mount", count: 1)])
        for _ in 0..<1000 { tally.note(1) }
        #expect(tally.due(at: start + .milliseconds(900)).isEmpty)
        #expect((1...1001).contains(tally.patience(at: start)))
        #expect(tally.due(at: start + .seconds(1)) == [.init(call: "mount", count: 1000)])
        #expect(tally.due(at: start + .seconds(5)).isEmpty)
    }

    @Test func keepsCallsApartAndTellsTheRestAtTheEnd() {
        var tally = ViolationTally(names: [1: "mount", 2: "bpf"])
        let start = ContinuousClock.now
        tally.note(2)
        tally.note(1)
        tally.note(2)
        #expect(tally.due(at: start) == [.init(call: "mount", count: 1), .init(call: "bpf", count: 2)])
        tally.note(3)
        tally.note(1)
        #expect(tally.rest() == [.init(call: "mount", count: 1), .init(call: "call 3", count: 1)])
        #expect(tally.rest().isEmpty)
    }
}
