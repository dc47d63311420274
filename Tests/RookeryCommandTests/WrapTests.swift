import Testing

@testable import rookery

/// What of 'rookery wrap' is no terminal and no network.
struct WrapTests {
    @Test func outputIsNumberedAndKeptWithinItsBound() {
        var ring = OutputRing(capacity: 10)
        var numbers: [UInt64] = []
        for text in ["one", "two", "three", "four"] {
            if let piece = ring.append(Array(text.utf8)) { numbers.append(piece.seq) }
        }
        #expect(numbers == [1, 2, 3, 4])
        #expect(ring.after(0).map(\.text) == ["three", "four"])
        #expect(ring.after(3) == [OutputRing.Piece(seq: 4, text: "four")])
        #expect(ring.after(4) == [])
    }

    @Test func aCharacterIsNeverCutInTwo() {
        let text = "é€😀x"
        for size in 1...4 {
            var ring = OutputRing()
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                _ = ring.append(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            #expect(ring.after(0).map(\.text).joined() == text)
        }
        var broken = OutputRing()
        _ = broken.append([0xC3, 0x28, 0xFF, 0x41])
        #expect(broken.after(0).map(\.text).joined() == "\u{FFFD}(\u{FFFD}A")
    }

    private static let dialog = [
        "● Bash(touch x)", "────────────────────", " Bash command", "", "   touch x", "   Run the requested command",
        "",
        " Do you want to proceed?", " ❯ 1. Yes", "   2. Yes, and don't ask again", "   3. No", "", " Esc to cancel",
    ]

    @Test func aQuestionIsSeenOnceWhereverTheMarkIs() {
        var watch = PromptWatch()
        let text =
            "Bash command\n\ntouch x\nRun the requested command\n\nDo you want to proceed?\n1. Yes\n"
            + "2. Yes, and don't ask again\n3. No"
        let first = watch.look(Self.dialog)
        #expect(first == [.asked(text)])
        var moved = Self.dialog
        moved[8] = "   1. Yes"
        moved[9] = " ❯ 2. Yes, and don't ask again"
        let same = watch.look(moved)
        #expect(same == [])
        let gone = watch.look(["> "])
        #expect(gone == [.gone])
        let none = watch.look(["> "])
        #expect(none == [])
    }

    @Test(
        "what is no question is none",
        arguments: [
            ["1. Yes", "2. No"], ["Shall I?", "1. Yes"], ["Shall I?", "1. No", "2. Yes"],
            ["a list?", "1. yesterday", "3. today"], [],
        ])
    func noQuestion(lines: [String]) {
        #expect(PromptWatch.question(lines) == nil)
    }

    @Test func aBoxAroundTheQuestionIsNoPartOfIt() {
        let lines = ["╭──────╮", "│ Edit x?        │", "│ ❯ 1. Yes   │", "│   2. No    │", "╰──────╯"]
        #expect(PromptWatch.question(lines) == "Edit x?\n1. Yes\n2. No")
    }
}
