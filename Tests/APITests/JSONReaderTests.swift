import NIOCore
import SessionCore
import Testing

@testable import API

@Suite struct JSONReaderTests {
    private static let good: [(String, JSONValue)] = [
        ("null", JSONValue.null), (" true ", true), ("-0", 0), ("12", 12), ("1.5", .number(1.5)), ("1e2", .number(100)),
        ("9223372036854775808", .number(9_223_372_036_854_775_808)), (#""a\"\\\/\n\u00e9\ud83d\ude00""#, "a\"\\/\né😀"),
        ("[]", []), ("[1,[2]]", [1, [2]]), ("{}", [:]), (#"{"a":{"b":[true,null]}}"#, ["a": ["b": [true, nil]]]),
        ("\"\u{7f}é\"", "\u{7f}é"),
    ]

    @Test(arguments: good)
    func readsWhatIsJSON(text: String, value: JSONValue) throws {
        #expect(try JSONReader.parse(text.utf8) == value)
    }

    @Test(arguments: [
        ("", 1, 1), ("{", 1, 2), ("[1,]", 1, 4), ("{\"a\" 1}", 1, 6), ("{\"a\":1,}", 1, 8), ("tru", 1, 1),
        ("{\n  \"a\": x\n}", 2, 8), ("1 2", 1, 3), ("01", 1, 2), ("1.", 1, 3), ("\"\n\"", 1, 2), ("\"\\x\"", 1, 3),
        ("\"\\ud800\"", 1, 8), ("{\"a\":1,\"a\":2}", 1, 8), ("1e999", 1, 1), ("hello", 1, 1), ("{'a':1}", 1, 2),
        ("\u{feff}{}", 1, 1),
    ])
    func saysWhereSomethingIsNotJSON(text: String, line: Int, column: Int) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSONReader.parse(text.utf8) }
        #expect(error?.line == line)
        #expect(error?.column == column)
    }

    @Test func refusesBytesThatAreNotUTF8() {
        #expect(throws: JSONSyntaxError.self) { try JSONReader.parse([0x22, 0xFF, 0x22]) }
    }

    @Test func boundsTheDepth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try JSONReader.parse(nested(JSONReader.deepest).utf8)
        #expect(throws: JSONSyntaxError.self) { try JSONReader.parse(nested(JSONReader.deepest + 1).utf8) }
        #expect(throws: JSONSyntaxError.self) { try JSONReader.parse(String(repeating: "[", count: 1 << 20).utf8) }
    }
}
