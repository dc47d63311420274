import Launcher
import Testing

/// Who rests before he is started again, and how long.
@Suite struct RestartPauseTests {
    /// Lives in seconds, one after the other, and the rests after them.
    static let cases: [(name: String, lives: [(Double, answered: Bool)], rests: [Double])] = [
        ("useful again and again", Array(repeating: (1.5, true), count: 40), Array(repeating: 0, count: 40)),
        (
            "never useful", Array(repeating: (2, false), count: 11),
            [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30]
        ),
        ("answers, and dies at once", Array(repeating: (0.2, true), count: 7), [0.1, 0.2, 0.4, 0.8, 1, 1, 1]),
        (
            "useful after a bad time", [(0, false), (0, false), (0, false), (1, true), (0, false), (0, false)],
            [0.1, 0.2, 0.4, 0, 0.1, 0.2]
        ),
        ("quiet for long", [(0, false), (0, false), (60, false), (0, false)], [0.1, 0.2, 0, 0.1]),
    ]

    @Test("rests", arguments: cases.map(\.name))
    func rests(name: String) throws {
        let (_, lives, rests) = try #require(Self.cases.first { $0.name == name })
        var pause = RestartPause()
        let found = lives.map { pause.rest(after: .seconds($0.0), hasAnswered: $0.answered) / .milliseconds(1) }
        #expect(found.map { $0.rounded() } == rests.map { $0 * 1000 })
    }
}
