import Dialects
import NIOCore
import SessionCore
import Testing

/// Seed-protocols 1.2, 1.3 and the pure ones of the conformance vectors 1.12.
struct EchokitMessageTests {
    @Test(
        "every message is understood under both names",
        arguments: [
            (#"{"type":"create_session"}"#, EchokitClientMessage.createSession),
            (#"{"type":"CreateSession"}"#, .createSession),
            (#"{"type":"get_current_state"}"#, .currentState),
            (#"{"type":"CurrentState"}"#, .currentState),
            (#"{"type":"input","input":"hello"}"#, .input("hello")),
            (#"{"type":"Input","input":"x"}"#, .input("x")),
            (#"{"type":"bytes_input","input":[27,91,65]}"#, .bytesInput([27, 91, 65])),
            (#"{"type":"BytesInput","input":[]}"#, .bytesInput([])),
            (#"{"type":"cancel"}"#, .cancel),
            (#"{"type":"Cancel"}"#, .cancel),
            (#"{"type":"confirm"}"#, .confirm),
            (#"{"type":"Confirm"}"#, .confirm),
            (#"{"type":"select","index":2}"#, .select(2)),
            (#"{"type":"Select","index":0}"#, .select(0)),
            (#"{"type":"cancel","extra":{"deep":[1]}}"#, .cancel),
        ])
    func understood(text: String, expected: EchokitClientMessage) {
        #expect(EchokitClientMessage(parsing: text.utf8) == expected)
    }

    @Test(
        "what echokit refuses is refused",
        arguments: [
            "hello", "", "[]", "null", #"{"type":"current_state"}"#, #"{"type":"input"}"#,
            #"{"type":"input","input":7}"#, #"{"type":"bytes_input","input":"abc"}"#,
            #"{"type":"bytes_input","input":[256]}"#, #"{"type":"bytes_input","input":[-1]}"#,
            #"{"type":"select","index":-1}"#, #"{"type":"select","index":4000000000}"#, #"{"type":"select"}"#,
            #"{"input":"x"}"#,
        ])
    func refused(text: String) {
        #expect(EchokitClientMessage(parsing: text.utf8) == nil)
    }

    private let session = SessionID(parsing: "6f1c2b7e-0a4d-4f2e-9c3b-1d2e3f405162") ?? SessionID()

    private func text(_ message: EchokitServerMessage, _ compatibility: EchokitCompatibility = .documented) -> String {
        let json = message.json(session: session, compatibility: compatibility)
        return String(buffer: json.encoded(allocator: ByteBufferAllocator()))
    }

    @Test("states are written as echokit writes them")
    func states() {
        let tool = EchokitTool(id: "toolu_1", name: "Bash", input: ["command": "ls"])
        let cases: [(EchokitState, String)] = [
            (.idle, #"{"state":"Idle"}"#),
            (.working(prompt: "fix the bug"), #"{"prompt":"fix the bug","state":"Working"}"#),
            (.output("…", isThinking: true), #"{"is_thinking":true,"output":"…","state":"Output"}"#),
            (
                .preUseTool([tool], isPending: false),
                #"{"is_pending":false,"request":[{"done":false,"id":"toolu_1","input":{"command":"ls"},"name":"Bash"}],"#
                    + #""state":"PreUseTool"}"#
            ),
            (.stopUseTool(isError: false), #"{"is_error":false,"state":"StopUseTool"}"#),
        ]
        for (state, json) in cases {
            #expect(
                text(.state(state))
                    == #"{"current_state":\#(json),"session_id":"\#(session)","type":"session_state"}"#)
        }
    }

    @Test("errors carry the fields of 1.3")
    func errors() {
        #expect(
            text(.malformed)
                == #"{"error_code":"invalid_input","error_message":"Failed to parse input message","session_id":"","type":"session_error"}"#
        )
        #expect(
            text(.notFound(id: "Not-A-Uuid"))
                == #"{"error_code":"session_not_found","session_id":"Not-A-Uuid","type":"session_error"}"#)
        #expect(text(.invalidUUID("x")).contains(#""error_message":"Invalid UUID format: x""#))
        #expect(
            text(.invalidForState(.working(prompt: "p"), input: "hello"))
                == #"{"error_code":"invalid_input_for_state","error_input":"hello","error_state":"working","session_id":"\#(session)","type":"session_error"}"#
        )
        #expect(text(.internalError("m")).contains(#""error_code":"internal_error""#))
        #expect(text(.internalError("m"), .head).contains(#""error_code":"InternalError""#))
    }

    @Test(
        "the compatibility switch is read from the target",
        arguments: [
            ("/echokit", EchokitCompatibility.documented), ("/echokit?compat=echokit-head", .head),
            ("/echokit?a=b&compat=echokit-head", .head), ("/echokit?compat=other", .documented),
        ])
    func compatibility(target: String, expected: EchokitCompatibility) {
        #expect(EchokitCompatibility(target: target) == expected)
    }

    @Test("select presses arrow down so many times")
    func select() {
        #expect(EchokitKeys.select(2) == Array("\u{1b}[B\u{1b}[B".utf8))
        #expect(EchokitKeys.select(0).isEmpty)
    }
}

struct EchokitOutputTests {
    private func encode(_ parts: [[UInt8]]) -> [String] {
        var encoder = EchokitOutputEncoder()
        let allocator = ByteBufferAllocator()
        return parts.compactMap { encoder.encode(ByteBuffer(bytes: $0), allocator: allocator) }.map {
            String(buffer: $0)
        }
    }

    @Test("control characters, quotes and backslashes are escaped")
    func escapes() {
        #expect(
            encode([Array("\u{1b}[1m\"a\\b\"\r\n\tü\u{7f}".utf8)])
                == [#"{"type":"session_pty_output","output":"\u001b[1m\"a\\b\"\r\n\tü\#u{7f}"}"#])
    }

    @Test("a character that is cut waits for its rest", arguments: ["ü", "€", "😀"])
    func cut(character: String) {
        let bytes = Array("a\(character)b".utf8)
        for split in 1..<bytes.count {
            let messages = encode([Array(bytes[..<split]), Array(bytes[split...])])
            let outputs = messages.map {
                $0.dropFirst(#"{"type":"session_pty_output","output":""#.count).dropLast(2)
            }
            #expect(outputs.joined() == "a\(character)b", "cut at \(split)")
        }
    }

    @Test("bytes that are no UTF-8 become replacement characters and hold nothing back")
    func invalid() {
        #expect(encode([[0xff, 0x61]]) == ["{\"type\":\"session_pty_output\",\"output\":\"\u{fffd}a\"}"])
        #expect(encode([[0x80, 0x80, 0x80, 0x80]]).count == 1)
        var encoder = EchokitOutputEncoder()
        let allocator = ByteBufferAllocator()
        #expect(encoder.encode(ByteBuffer(bytes: [0xe2, 0x82]), allocator: allocator) == nil)
        #expect(encoder.finish(allocator: allocator) != nil)
        #expect(encoder.finish(allocator: allocator) == nil)
    }
}
