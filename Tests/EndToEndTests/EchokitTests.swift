import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// An echokit client, unmodified, on loopback with `--auth none` (echokit protocol, conformance vectors).
@Suite(.serialized) struct EchokitTests {
    @Test func anEchokitClientCreatesTypesAndApproves() async throws {
        try await Rookery.with(RookeryOptions(auth: "none")) { rookery in
            let id = SessionID().description
            rookery.created.add(id)
            let client = try await WebSocketClient(rookery.address, path: "/ws/\(id)")

            try await client.send(["type": "get_current_state"])
            let missing = try await client.waitForMessage(type: "session_error")
            #expect(missing["error_code"]?.string == "session_not_found")
            #expect(missing["session_id"]?.string == id)

            try await client.send(["type": "create_session"])
            _ = try await client.waitForMessage(type: "session_state") { $0["current_state"]?["state"] == "Idle" }

            try await rookery.api.waitForScreen(id, containing: "❯")
            try await client.send(["type": "input", "input": "SAY echo-from-model"])
            _ = try await client.waitForMessage(type: "session_state") { $0["current_state"]?["state"] == "Working" }
            _ = try await client.waitForMessage(type: "session_state") { state in
                state["current_state"]?["output"]?.string?.contains("echo-from-model") == true
            }
            _ = try await client.waitForMessage(type: "session_idle")

            // The old and the new family of messages say the same.
            _ = try await client.waitForMessage(type: "session_running")
            _ = try await client.waitForMessage(type: "session_output") {
                $0["output"]?.string?.contains("echo-from-model") == true
            }

            try await client.send(["type": "input", "input": "BASH touch by-echokit"])
            _ = try await client.waitForMessage(type: "session_pending") { $0["tool_name"] == "Bash" }
            try await client.send(["type": "Confirm"])
            let made = rookery.path("/workspace/by-echokit", of: id)
            try await eventually("the tool to have run") {
                FileManager.default.fileExists(atPath: made) ? true : nil
            }

            try await client.send(text: "hello")
            let unreadable = try await client.waitForMessage(type: "session_error") {
                $0["error_code"] == "invalid_input"
            }
            #expect(unreadable["error_message"]?.string == "Failed to parse input message")
            #expect(unreadable["session_id"]?.string == "")
            await client.close()
        }
    }

    @Test func inputByRESTIsAnsweredWithTheState() async throws {
        try await Rookery.with(RookeryOptions(auth: "none")) { rookery in
            let api = rookery.api
            let id = try await api.create()
            try await api.waitForScreen(id, containing: "❯")
            try await api.waitFor(id, activity: .idle)
            let state = try await api.post("/api/\(id)/input", ["type": "get_current_state"])
            #expect(state.status == 200)
            #expect(state.json["type"]?.string == "session_state")
            #expect(state.json["current_state"]?["state"]?.string == "Idle")
            let refused = try await api.post("/api/\(id)/input", ["type": "cancel"])
            #expect(refused.json["error_code"]?.string == "invalid_input_for_state")
            #expect(refused.json["error_state"]?.string == "idle")
            #expect(refused.json["error_input"]?.string == "Cancel")
        }
    }

    @Test func anIdThatIsNoUUIDIsRefused() async throws {
        try await Rookery.with(RookeryOptions(auth: "none")) { rookery in
            let client = try await WebSocketClient(rookery.address, path: "/ws/not-a-uuid")
            try await client.send(["type": "create_session"])
            let error = try await client.waitForMessage(type: "session_error")
            #expect(error["error_code"]?.string == "invalid_input")
            #expect(error["error_message"]?.string?.hasPrefix("Invalid UUID format: ") == true)
            await client.close()
        }
    }

    @Test func withAuthenticationAStrangerIsRefused() async throws {
        try await Rookery.with { rookery in
            await #expect(throws: (any Error).self) {
                _ = try await WebSocketClient(rookery.address, path: "/ws/\(SessionID())")
            }
        }
    }

    @Test func echokitsEnvironmentVariablesAreAccepted() async throws {
        let state = "/tmp/rk-echokit-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: state) }
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        let model = try RunningProgram(
            [Programs.built("scripted-model"), "--bind", "127.0.0.1:0"], logs: URL(fileURLWithPath: state), name: "m")
        let upstream = try await model.line(startingWith: "scripted-model listening on ")
        let program = try RunningProgram(
            [
                Programs.built("rookery"), "serve", "--runtime-dir", state + "/run", "--auth", "none",
                "--model-upstream", upstream,
            ],
            environment: [
                "ECHOKIT_CC_BIND_ADDR": "127.0.0.1:0", "ECHOKIT_IDLE_TIMEOUT": "3",
                "ECHOKIT_WORKING_PATH": state + "/sessions-of-echokit",
            ],
            logs: URL(fileURLWithPath: state), name: "serve")
        let address = try await program.line(startingWith: "rookery listening on ")
        let created = CreatedSessions()
        let api = APIClient(base: address, token: nil, created: created)
        let id = try await api.create()
        #expect(FileManager.default.fileExists(atPath: state + "/sessions-of-echokit"))
        try await api.waitFor(id, lifecycle: .parked)
        #expect(try await api.delete("/v1/sessions/\(id)").status == 204)
        await program.end()
        await model.end()
    }
}
