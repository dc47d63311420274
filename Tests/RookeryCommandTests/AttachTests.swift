import Testing

@testable import rookery

@Suite struct DetachScannerTests {
    private static let start = "\u{1b}[200~"
    private static let end = "\u{1b}[201~"

    /// Feeds pieces; gives what passed, and whether it detached.
    private func scan(_ pieces: [String]) -> (String, Bool) {
        var scanner = DetachScanner()
        var passed: [UInt8] = []
        for piece in pieces {
            let result = scanner.scan(Array(piece.utf8))
            passed += result.passed
            if result.detached { return (String(decoding: passed, as: UTF8.self), true) }
        }
        return (String(decoding: passed, as: UTF8.self), false)
    }

    @Test(arguments: [
        (["hello"], "hello", false), (["\u{1d}"], "", true), (["\u{1c}"], "", true), (["ab\u{1d}cd"], "ab", true),
        (["\u{1b}[93;5u"], "", true), (["\u{1b}[92;5u"], "", true), (["\u{1b}[91;5u"], "\u{1b}[91;5u", false),
        (["\u{1b}", "x"], "\u{1b}x", false),
    ])
    func `keys`(pieces: [String], passed: String, detached: Bool) {
        let result = scan(pieces)
        #expect(result.0 == passed && result.1 == detached)
    }

    @Test func `a pasted text does not detach, also when it comes in pieces`() {
        let text = Self.start + "a\u{1d}b" + Self.end
        #expect(scan([text]) == (text, false))
        #expect(
            scan(text.map(String.init).count > 0 ? [Self.start + "a", "\u{1d}", "b\u{1b}[20", "1~"] : []).1 == false)
        #expect(scan([Self.start + "a", "\u{1d}", "b\u{1b}[20", "1~", "\u{1d}"]).1)
        #expect(scan([text + "\u{1d}"]) == (text, true))
    }
}

@Suite struct TerminalMessageTests {
    @Test(
        arguments: [
            (
                #"{"type":"snapshot","seq":7,"cols":80,"rows":24,"encoding":"base64","data":"aGk="}"#,
                .snapshot(seq: 7, data: Array("hi".utf8))
            ),
            (#"{"type":"snapshot","seq":7,"data":"hi"}"#, .snapshot(seq: 7, data: Array("hi".utf8))),
            (#"{"type":"mark","seq":9}"#, .mark(seq: 9)), (#"{"type":"mark","seq":-1}"#, .other),
            (#"{"type":"driver","client":2,"you":false}"#, .driver(you: false)),
            (
                #"{"type":"exit","code":3,"signal":null,"reason":"exited"}"#,
                .exit(code: 3, signal: nil, reason: "exited")
            ),
            (#"{"type":"state"}"#, .other), ("nonsense", .other), ("", .other),
        ] as [(String, TerminalMessage)])
    func `a message is`(text: String, message: TerminalMessage) {
        #expect(TerminalMessage(parsing: Array(text.utf8)) == message)
    }
}

@Suite struct AttachmentEndTests {
    @Test(
        arguments: [
            (.detached, 0), (.stopped(signal: 15), 143), (.sessionEnded(code: 3, signal: nil, reason: "exited"), 3),
            (.sessionEnded(code: nil, signal: 9, reason: "crashed"), 137),
            (.sessionEnded(code: nil, signal: 15, reason: "requested"), 0),
            (.sessionEnded(code: 143, signal: nil, reason: "idle"), 0),
            (.sessionEnded(code: nil, signal: nil, reason: "crashed"), 1),
        ] as [(TerminalAttachment.End, Int32)])
    func `the exit status is`(end: TerminalAttachment.End, status: Int32) { #expect(end.status == status) }
}
