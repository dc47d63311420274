import Dialects
import Foundation
import SessionCore
import Testing

/// Seed-protocols 4.1 to 4.3.
struct ClaudeRemoteTests {
    private let phone = ClaudeRemoteDevice(id: 1, name: "phone", secret: Data(repeating: 1, count: 32))
    private let laptop = ClaudeRemoteDevice(id: 2, name: "laptop", secret: Data(repeating: 2, count: 32))
    private let now = 1_767_225_600.0

    private func proof(
        _ device: ClaudeRemoteProof.Device = .any, at time: String = "1767225600000", nonce: String? = nil,
        session: String? = nil, key: Data? = nil
    ) -> ClaudeRemoteProof {
        let content = nonce.map { "\(time).\($0).\(session ?? "")" } ?? time
        return ClaudeRemoteProof(
            device: device, timestamp: time, nonce: nonce, session: session,
            signature: ClaudeRemoteProof.sign(content, secret: key ?? laptop.secret))
    }

    private func refusal(_ gate: inout ClaudeRemoteGate, _ proof: ClaudeRemoteProof, at time: Double? = nil)
        -> ClaudeRemoteGate.Refusal?
    {
        do throws(ClaudeRemoteGate.Refusal) {
            _ = try gate.admit(proof, devices: [phone, laptop], at: time ?? now)
            return nil
        } catch {
            return error
        }
    }

    @Test("the signature is HMAC-SHA256, as openssl computes it")
    func signature() {
        // printf 1767225600000 | openssl dgst -sha256 -mac HMAC -macopt hexkey:0202… -binary | base64
        #expect(
            ClaudeRemoteProof.sign("1767225600000", secret: laptop.secret).base64EncodedString()
                == "RhPh16v0+hVDYX0PswnsfIQVqG4C6Eap7W+J7550PBE=")
    }

    @Test("a device is found by id, by name, or by its signature alone")
    func found() throws {
        var gate = ClaudeRemoteGate()
        for (index, device) in [ClaudeRemoteProof.Device.id(2), .name("laptop"), .any].enumerated() {
            let proof = proof(device, nonce: "\(index)")
            let device = try gate.admit(proof, devices: [phone, laptop], at: now)
            #expect(device == laptop)
        }
    }

    @Test("who signs with another's key, or names another device, is unknown")
    func unknown() {
        var gate = ClaudeRemoteGate()
        #expect(refusal(&gate, proof(.id(1))) == .unknown)
        #expect(refusal(&gate, proof(.name("phone"))) == .unknown)
        #expect(refusal(&gate, proof(key: Data(repeating: 9, count: 32))) == .unknown)
        var forged = proof()
        forged.timestamp = "1767225600001"
        #expect(refusal(&gate, forged) == .unknown)
        var moved = proof(nonce: "n", session: "7")
        moved.session = "8"
        #expect(refusal(&gate, moved) == .unknown)
    }

    @Test("a signature counts once, in both forms")
    func replayed() {
        var gate = ClaudeRemoteGate()
        for proof in [proof(), proof(nonce: "n", session: "7")] {
            #expect(refusal(&gate, proof) == nil)
            #expect(refusal(&gate, proof) == .replayed)
            #expect(refusal(&gate, proof, at: now + 299) == .replayed)
            // Later it is stale, so it need not be remembered.
            #expect(refusal(&gate, proof, at: now + 301) == .stale)
        }
    }

    @Test(
        "timestamps are milliseconds or seconds, five minutes either way",
        arguments: [
            ("1767225600000", true), ("1767225600", true), ("1767225300000", true), ("1767225900", true),
            ("1767225299000", false), ("1767225901", false), ("soon", false), ("-5", false), ("", false),
        ])
    func fresh(time: String, isFresh: Bool) {
        var gate = ClaudeRemoteGate()
        #expect(refusal(&gate, proof(at: time)) == (isFresh ? nil : .stale))
    }

    private var signed: String { ClaudeRemoteProof.sign("1767225600000", secret: laptop.secret).base64EncodedString() }

    @Test("an auth message has its parts as fields or as a token")
    func auth() throws {
        for text in [
            #"{"type":"auth","device":"laptop","timestamp":1767225600000,"signature":"\#(signed)","cwd":"/w","command":"claude","cols":100,"rows":30,"session_id":4}"#,
            #"{"type":"auth","device":"laptop","token":"1767225600000:\#(signed)","cwd":"/w","cols":100,"rows":30,"session_id":4}"#,
        ] {
            guard case .auth(let proof, let hello) = try ClaudeRemoteClientMessage(parsing: text) else {
                Issue.record("not an auth")
                return
            }
            var gate = ClaudeRemoteGate()
            #expect(refusal(&gate, proof) == nil)
            #expect(hello.directory == "/w")
            #expect(hello.command == "claude")
            #expect(hello.size == TerminalSize(cols: 100, rows: 30))
            #expect(hello.session == 4)
        }
    }

    @Test(
        "messages are understood",
        arguments: [
            (#"{"type":"output","data":"hi"}"#, .output("hi", seq: nil)),
            (#"{"type":"output","output":"hi","seq":7}"#, .output("hi", seq: 7)),
            (#"{"type":"prompt_closed"}"#, .promptClosed),
            (#"{"type":"resize","cols":90,"rows":20}"#, .resize(TerminalSize(cols: 90, rows: 20))),
            (#"{"type":"exit","code":3}"#, .exit(code: 3)), (#"{"type":"exit"}"#, .exit(code: nil)),
            (#"{"type":"pong"}"#, .pong),
        ] as [(String, ClaudeRemoteClientMessage)])
    func understood(text: String, expected: ClaudeRemoteClientMessage) throws {
        #expect(try ClaudeRemoteClientMessage(parsing: text) == expected)
    }

    @Test("a prompt says what answers it")
    func prompts() throws {
        let cases: [(String, ClaudeRemoteKeys)] = [
            (#"{"type":"prompt","prompt_text":"ok?"}"#, .standard),
            (#"{"type":"prompt","prompt_text":"ok?","keys":"y/n"}"#, .yesNo),
            (#"{"type":"prompt","prompt_text":"ok?","reject":"3\r"}"#, ClaudeRemoteKeys(approve: "1\r", reject: "3\r")),
        ]
        for (text, keys) in cases {
            guard case .prompt(let prompt) = try ClaudeRemoteClientMessage(parsing: text) else {
                Issue.record("not a prompt")
                return
            }
            #expect(prompt.keys == keys)
        }
    }

    @Test(
        "what is wrong is refused",
        arguments: [
            "hello", "[]", #"{"type":"auth"}"#, #"{"type":"auth","timestamp":1,"signature":"x"}"#,
            #"{"type":"auth","timestamp":1,"signature":"aGk="}"#, #"{"type":"auth","token":"nonsense"}"#,
            #"{"type":"auth","device":{},"timestamp":1,"signature":"aGk="}"#, #"{"type":"output"}"#,
            #"{"type":"output","data":7}"#, #"{"type":"resize","cols":0,"rows":1}"#, #"{"type":"resize"}"#,
            #"{"type":"exit","code":"x"}"#, #"{"type":"prompt"}"#, #"{"type":"nonsense"}"#,
        ])
    func refused(text: String) {
        #expect(throws: ClientMessageError.self) { try ClaudeRemoteClientMessage(parsing: text) }
    }

    @Test("output becomes lines without escape sequences, whatever pieces it comes in")
    func lines() {
        let output = "\u{1B}[1mone\u{1B}[0m\r\ntw\u{1B}]0;title\u{7}o\n\u{1B}(Bthree\u{1B}]8;;x\u{1B}\\\n\u{1B}7four"
        for size in [1000, 7, 3, 1] {
            var lines = ClaudeRemoteLines()
            var found: [String] = []
            var rest = Array(output.unicodeScalars)[...]
            while !rest.isEmpty {
                var piece = String.UnicodeScalarView()
                piece.append(contentsOf: rest.prefix(size))
                found += lines.feed(String(piece))
                rest = rest.dropFirst(size)
            }
            #expect(found == ["one", "two", "three"])
            let ends = [lines.finish(), lines.finish()]
            #expect(ends == ["four", nil])
        }
    }

    @Test("a line without end is cut")
    func longLine() {
        var lines = ClaudeRemoteLines()
        let cut = lines.feed(String(repeating: "x", count: 10_000))
        #expect(cut.map(\.count) == [4096, 4096])
    }

    @Test("events and rows are written as the plan names them")
    func written() {
        let time = Date(timeIntervalSince1970: now)
        let stamp = "2026-01-01T00:00:00.000Z"
        let session = ClaudeRemoteSession(
            id: 3, deviceID: 2, startedAt: time, endedAt: time, exitCode: 0, directory: "/w", command: "claude")
        let prompt = ClaudeRemotePrompt(
            id: 5, sessionID: .remote(3), createdAt: time, text: "ok?", response: "approve", respondedAt: time)
        let cases: [(ClaudeRemoteEvent, String, String)] = [
            (
                .sessionStart(session), "session_start",
                #"{"command":"claude","cwd":"/w","device_id":2,"session_id":3,"started_at":"\#(stamp)"}"#
            ),
            (.sessionEnd(session), "session_end", #"{"ended_at":"\#(stamp)","exit_code":0,"session_id":3}"#),
            (
                .output(session: 3, data: "x\n", time: time), "output",
                #"{"data":"x\n","session_id":3,"timestamp":"\#(stamp)"}"#
            ),
            (
                .prompt(prompt), "prompt",
                #"{"created_at":"\#(stamp)","id":5,"prompt_text":"ok?","session_id":3}"#
            ),
            (
                .promptResponse(prompt), "prompt_response",
                #"{"id":5,"responded_at":"\#(stamp)","response":"approve","session_id":3}"#
            ),
        ]
        for (event, name, data) in cases {
            #expect(event.frame(id: 9) == "id: 9\nevent: \(name)\ndata: \(data)\n\n")
        }
        #expect(session.json(isActive: true, pendingPrompts: 1)["active"] == true)
        #expect(ClaudeRemoteServerMessage.input("1\r").json.text == #"{"data":"1\r","type":"input"}"#)
        #expect(
            ClaudeRemoteServerMessage.resize(TerminalSize(cols: 9, rows: 8)).json.text
                == #"{"cols":9,"rows":8,"type":"resize"}"#)
    }
}
