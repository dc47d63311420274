import Dialects
import Foundation
import NIOCore
import SessionCore
import Testing

struct NativeMessageTests {
    @Test(
        "client messages",
        arguments: [
            (
                #"{"type":"hello","since":7,"cols":100,"rows":30,"mode":"view"}"#,
                NativeClientMessage.hello(since: 7, size: TerminalSize(cols: 100, rows: 30), mode: .view)
            ),
            (#"{"type":"hello"}"#, .hello(since: nil, size: nil, mode: .drive)),
            (#"{"type":"resize","cols":1,"rows":9999}"#, .resize(TerminalSize(cols: 2, rows: 300))),
            (#"{"type":"ack","seq":18446744073709551615}"#, .ack(.max)),
            (#"{"type":"take_over","unknown":1}"#, .takeOver),
            (#"{"type":"ping"}"#, .ping),
        ])
    func parsed(text: String, expected: NativeClientMessage) throws {
        #expect(try NativeClientMessage(parsing: text.utf8) == expected)
    }

    @Test(
        "malformed messages say what is wrong",
        arguments: [
            ("{", "JSON"), ("[]", "type"), (#"{"seq":1}"#, "'type'"), (#"{"type":"resize","cols":80}"#, "'rows'"),
            (#"{"type":"resize","cols":"a","rows":2}"#, "'cols'"), (#"{"type":"ack"}"#, "'seq'"),
            (#"{"type":"ack","seq":-1}"#, ""), (#"{"type":"hello","mode":"own"}"#, "'mode'"),
            (#"{"type":"boo"}"#, "'boo'"),
        ])
    func malformed(text: String, says: String) {
        #expect {
            try NativeClientMessage(parsing: text.utf8)
        } throws: { error in
            says.isEmpty || "\(error)".contains(says)
        }
    }

    @Test("a snapshot carries its bytes as base64")
    func snapshot() throws {
        let message = NativeServerMessage.snapshot(
            seq: 9, size: TerminalSize(cols: 80, rows: 24), data: ByteBuffer(string: "\u{1b}[2Jx"))
        let text = String(buffer: message.encoded(allocator: ByteBufferAllocator()))
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        #expect(value["type"] == "snapshot")
        #expect(value["seq"] == 9)
        #expect(value["cols"] == 80)
        #expect(value["data"]?.string.flatMap { Data(base64Encoded: $0) } == Data("\u{1b}[2Jx".utf8))
    }

    @Test("server messages")
    func server() {
        let cases: [(NativeServerMessage, String)] = [
            (.mark(seq: 12), #"{"type":"mark","seq":12}"#),
            (.pong, #"{"type":"pong"}"#),
            (
                .driver(client: 3, principal: "alice", you: true),
                #"{"client":3,"principal":"alice","type":"driver","you":true}"#
            ),
            (
                .exit(ExitStatus(code: 7, signal: nil), reason: .exited),
                #"{"code":7,"reason":"exited","signal":null,"type":"exit"}"#
            ),
            (
                .reapWarning(["at": "2026-01-01T00:00:00.000Z"]),
                #"{"at":"2026-01-01T00:00:00.000Z","type":"reap_warning"}"#
            ),
            (.error(code: "view_only", detail: "no"), #"{"code":"view_only","detail":"no","type":"error"}"#),
        ]
        for (message, text) in cases {
            #expect(String(buffer: message.encoded(allocator: ByteBufferAllocator())) == text)
        }
    }
}
