import Glibc
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

@Suite struct RefusalAnswerTests {
    static let answers: [(String?, UInt64, UInt64, Int32)] = [
        ("mount", 0, 0, EPERM), (nil, 0, 0, EPERM), ("socket", 40, 1, EAFNOSUPPORT), ("socket", 17, 3, EAFNOSUPPORT),
        ("socket", 2, 3, EPERM), ("socket", 10, 0x80003, EPERM), ("socket", 2, 2, EPROTONOSUPPORT),
        ("socket", 10, 0x80801, EPROTONOSUPPORT), ("socket", 16, 3, EPROTONOSUPPORT),
        ("socketpair", 2, 1, EAFNOSUPPORT),
        ("socket", 0x1_0000_0002, 3, EPERM),
    ]

    @Test("a refused socket gets the answer of a kernel without it", arguments: answers.indices)
    func answer(index: Int) {
        let (call, family, type, errno) = Self.answers[index]
        #expect(RefusalAnswer.errno(of: call, family, type) == errno)
    }
}
