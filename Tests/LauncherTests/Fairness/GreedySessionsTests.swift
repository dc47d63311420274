import Testing

@testable import Launcher

@Suite struct GreedySessionsTests {
    /// Samples every quarter second of a session that uses `first` of a processor and one that uses `second`.
    private func run(_ sessions: inout GreedySessions, _ rates: [String: Double], samples: Int, at clock: inout Double)
    {
        for _ in 0..<samples {
            clock += 0.25
            for (name, rate) in rates { used[name, default: 0] += rate * 0.25 }
            _ = sessions.sample(used.mapValues { UInt64($0 * 1e9) }, at: UInt64(clock * 1e9))
        }
    }

    private final class Used { var seconds: [String: Double] = [:] }
    private let store = Used()
    private var used: [String: Double] {
        get { store.seconds }
        nonmutating set { store.seconds = newValue }
    }

    @Test(arguments: [(0.1, false), (0.45, false), (0.9, true), (2, true)])
    func whoTakesMoreThanHalfAProcessorGivesWay(rate: Double, givesWay: Bool) {
        var sessions = GreedySessions()
        var clock = 1.0
        run(&sessions, ["quiet": 0.01, "other": rate], samples: 20, at: &clock)
        #expect(sessions.giveWay == (givesWay ? ["other"] : []))
    }

    @Test func aShortBurstDoesNotMakeASessionGreedy() {
        var sessions = GreedySessions()
        var clock = 1.0
        run(&sessions, ["quiet": 0.01, "other": 0.05], samples: 20, at: &clock)
        run(&sessions, ["quiet": 0.01, "other": 1], samples: 2, at: &clock)
        #expect(sessions.giveWay.isEmpty)
    }

    @Test func whoHasCalmedCompetesAgain() {
        var sessions = GreedySessions()
        var clock = 1.0
        run(&sessions, ["quiet": 0.01, "other": 1.5], samples: 20, at: &clock)
        #expect(sessions.giveWay == ["other"])
        run(&sessions, ["quiet": 0.01, "other": 0.01], samples: 12, at: &clock)
        #expect(sessions.giveWay.isEmpty)
    }

    @Test func amongGreedyOnesAloneNobodyGivesWay() {
        var sessions = GreedySessions()
        var clock = 1.0
        run(&sessions, ["one": 1, "other": 0.8], samples: 20, at: &clock)
        #expect(sessions.giveWay.isEmpty)
        used["other"] = nil
        run(&sessions, ["one": 1], samples: 20, at: &clock)
        #expect(sessions.giveWay.isEmpty)
    }

    @Test func aSessionThatStartsAnewIsLookedAtAnew() {
        var sessions = GreedySessions()
        _ = sessions.sample(["a": 0, "b": 0], at: 1_000_000_000)
        _ = sessions.sample(["a": 2_000_000_000, "b": 0], at: 2_000_000_000)
        #expect(sessions.giveWay == ["a"])
        let changes = sessions.sample(["a": 5, "b": 0], at: 3_000_000_000)
        #expect(changes.from == ["a"] && sessions.giveWay.isEmpty)
        let gone = sessions.sample(["b": 0], at: 4_000_000_000)
        #expect(gone.from.isEmpty && gone.to.isEmpty)
    }

    @Test func changesAreToldOnce() {
        var sessions = GreedySessions()
        _ = sessions.sample(["a": 0, "b": 0], at: 1_000_000_000)
        #expect(sessions.sample(["a": 1_000_000_000, "b": 0], at: 2_000_000_000).to == ["a"])
        #expect(sessions.sample(["a": 2_000_000_000, "b": 0], at: 3_000_000_000).to.isEmpty)
    }
}
