import Foundation
import NIOCore
import SessionCore
import Testing
import WorkerControl

@Suite("Echokit's clients", .timeLimit(.minutes(2)))
struct EchokitTests {
    private func output(_ client: TestClient) -> String {
        client.received.texts.filter { $0["type"] == "session_pty_output" }.compactMap { $0["output"]?.string }.joined()
    }

    private func writeStatus(_ status: String, in fixture: WorkerFixture) throws {
        let json = """
            {"pid":7,"sessionId":"\(fixture.sessionID)","kind":"interactive","status":"\(status)",
            "statusUpdatedAt":\(Int(Date().timeIntervalSince1970 * 1000))}
            """
        try Data(json.utf8).write(to: URL(fileURLWithPath: fixture.home + "/.claude/sessions/7.json"))
    }

    @Test("create_session answers with the state; input, bytes and select are typed", arguments: Way.allCases)
    func conversation(way: Way) async throws {
        try await WorkerFixture.with(["bash", "-c", "echo up; exec cat -v"]) { fixture in
            let client = try await TestClient.connect(to: fixture, over: way, path: "/echokit")
            client.send(text: #"{"type":"create_session"}"#)
            try await client.message("session_state") { $0["current_state"]?["state"] == "Idle" }
            client.send(text: #"{"type":"Input","input":"typed"}"#)
            try await eventually("the text") { output(client).contains("typed\r\ntyped") }
            // The output makes the session look busy for a while; bytes and select pass all the same.
            client.send(text: #"{"type":"bytes_input","input":[97,98,13]}"#)
            try await eventually("the bytes") { output(client).contains("ab\r\nab") }
            client.send(keys: "cd\r")
            try await eventually("the frame") { output(client).contains("cd\r\ncd") }
            client.send(text: #"{"type":"select","index":2}"#)
            try await eventually("the arrows") { output(client).contains("^[[B^[[B\r\n") }
            client.send(text: "hello")
            try await client.message("session_error") {
                $0["session_id"] == "" && $0["error_message"] == "Failed to parse input message"
            }
            let late = try await TestClient.connect(to: fixture, over: way, path: "/echokit")
            try await eventually("the screen") { output(late).contains("typed") }
        }
    }

    @Test("the state follows the CLI's status file and gates what is sent", arguments: Way.allCases)
    func states(way: Way) async throws {
        try await WorkerFixture.with(["bash", "-c", "echo up; exec cat"]) { fixture in
            let client = try await TestClient.connect(to: fixture, over: way, path: "/echokit")
            // Until the CLI's own word is there, the command's output counts as work.
            try writeStatus("idle", in: fixture)
            try await eventually("an idle session") {
                client.send(text: #"{"type":"get_current_state"}"#)
                try await Task.sleep(for: .milliseconds(100))
                return client.received.texts.last { $0["type"] == "session_state" }?["current_state"]?["state"]
                    == "Idle"
            }
            try writeStatus("busy", in: fixture)
            try await client.message("session_running")
            client.send(text: #"{"type":"input","input":"hello"}"#)
            try await client.message("session_error") {
                $0["error_code"] == "invalid_input_for_state" && $0["error_state"] == "working"
                    && $0["error_input"] == "hello"
            }
            try writeStatus("idle", in: fixture)
            try await client.message("session_idle")
            client.send(text: #"{"type":"cancel"}"#)
            try await client.message("session_error") { $0["error_state"] == "idle" && $0["error_input"] == "Cancel" }
            #expect(!output(client).contains("hello"))
        }
    }

    @Test("the transcript's lines become output states", arguments: Way.allCases)
    func transcript(way: Way) async throws {
        let script = """
            mkdir -p $HOME/.claude/projects/p; echo /home/agent/.claude/projects/p/t.jsonl; read line
            echo '{"type":"assistant","message":{"content":[{"type":"text","text":"an answer"}]}}' \
            >> $HOME/.claude/projects/p/t.jsonl; exec cat
            """
        try await WorkerFixture.with(["bash", "-c", script]) { fixture in
            let client = try await TestClient.connect(to: fixture, over: way, path: "/echokit")
            let connection = try await fixture.connect()
            try await eventually("the transcript to be named") {
                guard case .status(let status) = try await connection.send(.status) else { return false }
                return status.transcriptPath != nil
            }
            client.send(keys: "go\r")
            try await client.message("session_output") { $0["output"] == "an answer" && $0["is_thinking"] == false }
            try await client.message("session_state") { $0["current_state"]?["state"] == "Output" }
        }
    }

    @Test("a message by REST is answered with its own result")
    func rest() async throws {
        try await WorkerFixture.with(["bash", "-c", "echo up; exec cat"]) { fixture in
            let connection = try await fixture.connect()
            func post(_ message: JSONValue) async throws -> JSONValue {
                guard
                    case .message(let value) = try await connection.send(
                        .dialect(name: "echokit", message: message), within: .seconds(20))
                else { return .null }
                return value
            }
            try await eventually("an idle session") {
                try await post(["type": "get_current_state"])["current_state"]?["state"] == "Idle"
            }
            #expect(try await post(["type": "boo"])["error_code"] == "invalid_input")
            try writeStatus("busy", in: fixture)
            try await eventually("a busy session") {
                try await post(["type": "get_current_state"])["current_state"]?["state"] == "Working"
            }
            let refused = try await post(["type": "input", "input": "x"])
            #expect(refused["error_code"] == "invalid_input_for_state")
            #expect(try await post(["type": "confirm"])["current_state"]?["state"] == "Working")
            guard case .refused(let code, _) = try await connection.send(.dialect(name: "boo", message: [:])) else {
                Issue.record("an unknown dialect was taken")
                return
            }
            #expect(code == "unknown_dialect")
        }
    }

    @Test("a watcher only watches", arguments: Way.allCases)
    func view(way: Way) async throws {
        try await WorkerFixture.with(["bash", "-c", "echo up; exec cat"]) { fixture in
            let viewer = try await TestClient.connect(to: fixture, over: way, path: "/echokit", access: .view)
            viewer.send(keys: "nope\r")
            try await viewer.message("session_error") { $0["error_code"] == "invalid_input" }
            viewer.send(text: #"{"type":"input","input":"nope"}"#)
            let connection = try await fixture.connect()
            try await Task.sleep(for: .milliseconds(700))
            guard case .screen(let screen) = try await connection.send(.screen(.text)) else { return }
            #expect(!screen.content.contains("nope"))
        }
    }

    @Test("the end is told", arguments: Way.allCases)
    func end(way: Way) async throws {
        try await WorkerFixture.with(["bash", "-c", "read x; exit 0"]) { fixture in
            let client = try await TestClient.connect(to: fixture, over: way, path: "/echokit")
            client.send(keys: "\r")
            try await client.message("session_ended")
        }
    }
}
