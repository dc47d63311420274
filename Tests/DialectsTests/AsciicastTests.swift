import Foundation
import NIOCore
import SessionCore
import Testing

@testable import Dialects

struct AsciicastTests {
    private static func entry(
        _ record: LogRecord, at seconds: Double = 0, incarnation: Int = 1, wall: Double? = nil, seq: UInt64 = 1
    ) -> JournalEntry {
        JournalEntry(
            seq: seq, time: Date(timeIntervalSince1970: 1_700_000_000 + (wall ?? seconds)),
            monotonic: UInt64(seconds * 1e9), incarnation: incarnation, record: record)
    }

    private static func lines(_ entries: [JournalEntry], input: Bool = false) -> [String] {
        var encoder = AsciicastEncoder(includesInput: input)
        var buffer = ByteBuffer()
        for entry in entries { encoder.encode(entry, to: &buffer) }
        encoder.finish(&buffer)
        return String(buffer: buffer).split(separator: "\n").map(String.init)
    }

    @Test func theHeaderIsOneLineWithTheSize() throws {
        let header = AsciicastEncoder.header(
            size: TerminalSize(cols: 100, rows: 30), time: Date(timeIntervalSince1970: 1_700_000_000.7),
            title: "a \"b\"")
        let text = String(buffer: header)
        #expect(text.hasSuffix("\n"))
        let value = try #require(JSONValue(parsing: text))
        #expect(value["version"] == 2)
        #expect(value["width"] == 100)
        #expect(value["height"] == 30)
        #expect(value["timestamp"] == 1_700_000_000)
        #expect(value["title"] == "a \"b\"")
    }

    @Test func outputResizesAndTimes() {
        let lines = Self.lines([
            Self.entry(.output(ByteBuffer(string: "a\"\\\r\n\u{1B}[0m")), at: 10),
            Self.entry(.resize(TerminalSize(cols: 120, rows: 40)), at: 10.5),
            Self.entry(.input(AcceptedInput(content: .text("secret", submit: true), sender: "x")), at: 11),
            Self.entry(.output(ByteBuffer(string: "é")), at: 12.25),
        ])
        #expect(
            lines == [
                #"[0.000000,"o","a\"\\\r\n\u001b[0m"]"#, #"[0.500000,"r","120x40"]"#, #"[2.250000,"o","é"]"#,
            ])
    }

    @Test func inputIsThereOnlyWhenAskedFor() {
        let typed = [
            Self.entry(.input(AcceptedInput(content: .text("ls", submit: true), sender: "x"))),
            Self.entry(.input(AcceptedInput(content: .keys(ByteBuffer(bytes: [3])), sender: "x"))),
        ]
        #expect(Self.lines(typed).isEmpty)
        #expect(Self.lines(typed, input: true) == [#"[0.000000,"i","ls\r"]"#, #"[0.000000,"i","\u0003"]"#])
    }

    @Test(arguments: ["é", "€", "😀", "a😀b€c"])
    func charactersThatAreSplitComeWhole(_ text: String) {
        let entries = Array(text.utf8).map { Self.entry(.output(ByteBuffer(bytes: [$0]))) }
        let joined = Self.lines(entries).compactMap { JSONValue(parsing: $0)?.array?[2].string }.joined()
        #expect(joined == text)
    }

    @Test func whatIsNoCharacterIsReplacedAndHoldsNothingUp() {
        let entries: [[UInt8]] = [[0xFF, 0x41], [0xC3], [0x41], [0xE2, 0x82]]
        let texts = Self.lines(entries.map { Self.entry(.output(ByteBuffer(bytes: $0))) })
            .compactMap { JSONValue(parsing: $0)?.array?[2].string }
        #expect(texts == ["\u{FFFD}A", "\u{FFFD}A", "\u{FFFD}"])
    }

    @Test func timesRiseAcrossIncarnationsAndReboots() {
        let times = Self.lines([
            Self.entry(.output(ByteBuffer(string: "a")), at: 5000),
            Self.entry(.output(ByteBuffer(string: "b")), at: 5001, wall: 4990),
            // The machine was restarted: its monotonic clock began anew.
            Self.entry(.output(ByteBuffer(string: "c")), at: 3, incarnation: 2, wall: 5100),
            Self.entry(.output(ByteBuffer(string: "d")), at: 4, incarnation: 2, wall: 5101),
        ]).map { $0.prefix { $0 != "," } }
        #expect(times == ["[0.000000", "[1.000000", "[100.000000", "[101.000000"])
    }

    @Test func aGapIsAMarker() {
        var encoder = AsciicastEncoder(includesInput: false)
        var buffer = ByteBuffer()
        encoder.encode(LogGap(after: 4, through: 9), to: &buffer)
        #expect(String(buffer: buffer) == "[0.000000,\"m\",\"gap: records 5 to 9 are not kept any more\"]\n")
    }
}
