import NIOCore
import SessionCore
import Testing

private func screen(_ output: String, cols: Int = 20, rows: Int = 5) -> ScreenModel {
    let model = ScreenModel(size: TerminalSize(cols: cols, rows: rows))
    model.feed(ByteBuffer(string: output))
    return model
}

/// A repaint of the repaint must be the same: everything that a snapshot carries survived one trip.
private func expectFaithful(_ model: ScreenModel, sourceLocation: SourceLocation = #_sourceLocation) {
    let copy = ScreenModel(size: model.size)
    let snapshot = model.snapshot()
    copy.feed(snapshot)
    #expect(copy.lines() == model.lines(), sourceLocation: sourceLocation)
    #expect(copy.cursor == model.cursor, sourceLocation: sourceLocation)
    #expect(copy.title == model.title, sourceLocation: sourceLocation)
    #expect(copy.isAlternate == model.isAlternate, sourceLocation: sourceLocation)
    #expect(String(buffer: copy.snapshot()) == String(buffer: snapshot), sourceLocation: sourceLocation)
}

@Suite struct ScreenModelTests {
    @Test func showsTextAndCursor() {
        let model = screen("hello\r\nworld \u{1B}[1mbold\u{1B}[m")
        #expect(model.text() == "hello\nworld bold")
        #expect(model.cursor == ScreenCursor(row: 1, col: 10, visible: true))
        #expect(model.lastLines(1) == "world bold")
    }

    @Test(arguments: [
        "plain", "a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng", "\u{1B}[31mred\u{1B}[42mon green\u{1B}[0m normal",
        "\u{1B}[38;5;200mpalette\u{1B}[48;2;1;2;3mdirect", "\u{1B}[38:2::9:8:7mcolons\u{1B}[38:5:99mtoo",
        "\u{1B}[1;2;3;4;5;7;9mall\u{1B}[22;23mless", "\u{1B}[4:3mcurly\u{1B}[21mdouble\u{1B}[24mnone",
        "\u{1B}[97;100mbright", "漢字 wide 😀!", "e\u{301}a\u{308}combining", "\u{1B}[?25lhidden", "\u{1B}[3;7Hthere",
        "\u{1B}]0;a title\u{07}x", "\u{1B}]2;ti\u{1B}\\y", "pri\r\nmary\u{1B}[?1049h\u{1B}[2J\u{1B}[Halternate",
        "\u{1B}[?1049halt\u{1B}[?1049lback", "\u{1B}[?1h\u{1B}=\u{1B}[?2004h\u{1B}[?1004h",
        "\u{1B}[?1000h\u{1B}[?1003h\u{1B}[?1006h", "\u{1B}[2;4r\u{1B}[3;3Hin region",
        "\u{1B}[2;4r\u{1B}[?6h\u{1B}[2;2Horigin",
        "\u{1B}[?7lno wrap", "\u{1B}[4hinsert", "\u{1B}(0lqqk\u{1B}(Bx\u{1B})0\u{0E}", "\u{1B}[>1u\u{1B}[>4;2m",
        "\u{1B}[5 q", "\u{1B}[44m\u{1B}[2J\u{1B}[Hblue all over", "\u{1B}[44mx\u{1B}[K\r\n\u{1B}[my",
        "01234567890123456789wrapped", "tab\there", "\u{1B}[?2026h", "\u{1B}#8",
    ])
    func repaintsFaithfully(_ output: String) {
        expectFaithful(screen(output))
    }

    @Test func writesStylesAsTheyWereAsked() {
        let snapshot = String(buffer: screen("\u{1B}[2mdim\u{1B}[22m \u{1B}[38;2;1;2;3;4mrgb").snapshot())
        #expect(snapshot.contains("\u{1B}[0;2mdim"))
        #expect(snapshot.contains("\u{1B}[0;4;38;2;1;2;3mrgb"))
    }

    @Test func restoresModesThatTheScreenDoesNotShow() {
        let snapshot = String(
            buffer: screen("\u{1B}[?2004h\u{1B}[?1000h\u{1B}[?1002h\u{1B}[?1006h\u{1B}[?1;1004h\u{1B}[?2004l")
                .snapshot())
        for mode in [1, 1002, 1004, 1006] { #expect(snapshot.contains("\u{1B}[?\(mode)h")) }
        for mode in [1000, 2004] { #expect(!snapshot.contains("\u{1B}[?\(mode)h")) }
    }

    @Test func readsTheSameHoweverTheOutputIsSplit() {
        let output =
            "\u{1B}[?2004h\u{1B}]0;títle\u{07}\u{1B}[38;2;10;20;30mé漢😀\u{1B}[0m\u{1B}P+q544e\u{1B}\\ok\u{1B}[2;3Hx\u{1B}[?1049hz"
        let whole = screen(output)
        let split = ScreenModel(size: whole.size)
        for byte in output.utf8 { split.feed(ByteBuffer(bytes: [byte])) }
        #expect(String(buffer: split.snapshot()) == String(buffer: whole.snapshot()))
    }

    @Test func keepsABoundedScrollback() {
        let model = ScreenModel(size: TerminalSize(cols: 10, rows: 3), scrollbackLines: 4)
        model.feed(ByteBuffer(string: (1...20).map { "line \($0)" }.joined(separator: "\r\n")))
        let snapshot = String(buffer: model.snapshot())
        #expect(!snapshot.contains("line 13\r"))
        #expect(snapshot.contains("line 14\r\nline 15\r\nline 16\r\nline 17\r\nline 18\r\nline 19\r\nline 20"))
        model.feed(ByteBuffer(string: "\u{1B}[3J"))
        #expect(!String(buffer: model.snapshot()).contains("line 17"))
    }

    /// Long output is cut short before it is drawn: the result must be what drawing all of it gives.
    @Test(arguments: [
        "", "\u{1B}[2;4r", "\u{1B}[?1049h", "\u{1B}]0;t\u{07}", "\u{1B}[31m", "old text\u{1B}[5;1Hbelow\u{1B}[2;1H",
    ])
    func aFloodLeavesWhatDrawingItAllLeaves(_ before: String) {
        let lines = (0..<6000).map { "\u{1B}[3\($0 % 8)m\($0) \u{1B}[1mé漢\u{1B}[0;4\($0 % 7)m tail" }
        let flood = before + lines.joined(separator: "\r\n")
        let model = ScreenModel(size: TerminalSize(cols: 20, rows: 5), scrollbackLines: 10)
        model.feed(ByteBuffer(string: flood))
        let careful = ScreenModel(size: model.size, scrollbackLines: 10)
        for line in [before] + lines.enumerated().map({ $0.offset == 0 ? $0.element : "\r\n" + $0.element }) {
            careful.feed(ByteBuffer(string: line))
            _ = careful.cursor
        }
        #expect(model.lines() == careful.lines())
        #expect(String(buffer: model.snapshot()) == String(buffer: careful.snapshot()))
    }

    @Test func answersAQueryThatComesInPieces() {
        let model = screen("x")
        var replies = ""
        for piece in ["\u{1B}", "[", "6", "n"] {
            model.feed(ByteBuffer(string: piece))
            if let reply = model.takeReplies() { replies += String(buffer: reply) }
        }
        #expect(replies == "\u{1B}[1;2R")
    }

    @Test func answersQueries() {
        let model = screen("ab\u{1B}[6n\u{1B}[c")
        let replies = model.takeReplies().map { String(buffer: $0) } ?? ""
        #expect(replies.hasPrefix("\u{1B}[1;3R\u{1B}[?"))
        #expect(replies.hasSuffix("c"))
        #expect(model.takeReplies() == nil)
        for _ in 0..<10_000 { model.feed(ByteBuffer(string: "\u{1B}[6n")) }
        #expect((model.takeReplies()?.readableBytes ?? 0) <= 4096)
    }

    @Test func takesNewSizes() {
        let model = screen("one\r\ntwo\r\nthree", cols: 20, rows: 5)
        model.resize(to: TerminalSize(cols: 8, rows: 2))
        #expect(model.text() == "two\nthree")
        model.resize(to: TerminalSize(cols: 40, rows: 10))
        expectFaithful(model)
    }

    @Test func leavesTheAlternateScreen() {
        let model = screen("shell$ \u{1B}[?1049h\u{1B}[2Jeditor")
        #expect(model.isAlternate)
        let copy = ScreenModel(size: model.size)
        copy.feed(model.snapshot())
        copy.feed(ByteBuffer(string: "\u{1B}[?1049l"))
        #expect(copy.text() == "shell$")
        #expect(copy.cursor.col == 7)
        model.feed(ByteBuffer(string: "\u{1B}c"))
        #expect(!model.isAlternate)
        #expect(model.text() == "")
    }
}

@Suite struct HostileOutputTests {
    @Test(arguments: [
        String(repeating: "\u{1B}]0;", count: 3) + String(repeating: "x", count: 1 << 20) + "\u{07}ok",
        "\u{1B}P" + String(repeating: "y", count: 1 << 20) + "\u{1B}\\ok",
        "a" + String(repeating: "\u{301}", count: 200_000) + "\u{1B}[2;1Hok",
        "\u{1B}[" + String(repeating: "1;", count: 100_000) + "mok",
        "\u{1B}[" + String(repeating: "9", count: 100_000) + "Cok\r\u{1B}[2;1Hok",
        "\u{1B}[99999999999;99999999999H\u{1B}[9999999999L\u{1B}[9999999999M\u{1B}[9999999999P\u{1B}[9999999999@\u{1B}[Hok",
        "\u{1B}[9999999999S\u{1B}[9999999999T\u{1B}[9999999999b\u{1B}[9999999999X\u{1B}[Hok",
        "\u{1B}[0;0r\u{1B}[5;3r\u{1B}[999;999r\u{1B}[2;2r\u{1B}[Hok",
        "\u{1B}[?69h\u{1B}[0;0s\u{1B}[9;3s\u{1B}[3;5s\u{1B}[4'}\u{1B}[4'~\u{1B}[?69l\u{1B}[Hok",
        "\u{80}\u{9B}31m\u{9F}\u{1B}[Hok", "\u{1B}#3\u{1B}#6wide\u{1B}[Hok",
    ])
    func survives(_ output: String) {
        let model = screen(output)
        #expect(model.text().contains("ok"))
        #expect((model.title?.count ?? 0) <= 256)
        expectFaithful(model)
    }

    @Test(arguments: 0..<40)
    func survivesNoise(_ seed: Int) {
        var random = Noise(state: UInt64(seed + 1))
        let alphabet = Array(
            "\u{1B}\u{1B}[[]]??;;::0123456789hlmHJKABCDrsuSTLMP@XbcnqtPX^_\\\u{07}\r\n\t\u{08}\u{0E}\u{0F} é漢😀\u{301}(0)B#8=>'!\"$*"
                .utf8)
        let model = ScreenModel(size: TerminalSize(cols: 2 + seed * 2, rows: 2 + seed))
        for _ in 0..<40 {
            var bytes = (0..<500).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<500, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            model.feed(ByteBuffer(bytes: bytes))
            if Int.random(in: 0..<4, using: &random) == 0 {
                model.resize(
                    to: TerminalSize(
                        cols: Int.random(in: -5...200, using: &random), rows: Int.random(in: -5...80, using: &random)))
            }
        }
        #expect(model.lines().count == model.size.rows)
        #expect(model.snapshot().readableBytes > 0)
    }
}

/// The same noise in every run (xorshift64*).
private struct Noise: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }
}
