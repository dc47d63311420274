import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// `rookery wrap` in a real terminal (tmux), and somebody who approves elsewhere.
@Suite(.serialized) struct WrapTests {
    private func enrol(_ installation: Rookery) async throws -> String {
        let paired = try await CommandLineTests.rookery(installation, "device", "pair", "laptop")
        #expect(paired.status == 0, "\(paired.errors)")
        let file = installation.root.path + "/device.json"
        let code = paired.output.trimmingCharacters(in: .whitespacesAndNewlines)
        let enrolled = try await CommandLineTests.rookery(
            installation, "device", "enrol", "--device-file", file, code)
        #expect(enrolled.status == 0, "\(enrolled.errors)")
        return file
    }

    @Test func aWrappedStructuredProgramGoesOnOverARestartOfTheServer() async throws {
        try await Rookery.with { installation in
            let file = try await enrol(installation)
            let id = SessionID().description
            let home = installation.root.path + "/laptop"
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
            let program = try RunningProgram(
                [
                    Programs.built("rookery"), "wrap", "--structured", "--device-file", file, "--", Programs.claude,
                    "--permission-mode", "default", "--session-id", id,
                ],
                environment: [
                    "HOME": home, "ANTHROPIC_BASE_URL": installation.modelAddress, "ANTHROPIC_API_KEY": "dummy-key",
                    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1",
                ], logs: installation.root, name: "wrap")
            try await eventually("the session") {
                try await installation.api.get("/v1/sessions/\(id)").json["lifecycle"] == "running" ? true : nil
            }
            #expect(try await installation.api.session(id)["kind"] == "remote")
            func browser() async throws -> WebSocketClient {
                try await WebSocketClient(
                    installation.address, path: "/ws/browser/\(id)",
                    headers: [("authorization", "Bearer \(installation.api.token ?? "")")])
            }
            let first = try await browser()
            let made = installation.root.path + "/made"
            try await first.send(["type": "user_message", "content": .string("BASH touch \(made)")])
            let asked = try await first.waitForMessage(type: "permission_request")
            try await first.send([
                "type": "permission_response", "request_id": asked["request"]?["request_id"] ?? "",
                "behavior": "allow",
            ])
            _ = try await first.waitForMessage(type: "result")
            #expect(FileManager.default.fileExists(atPath: made))
            try await first.send(["type": "set_permission_mode", "mode": "plan"])
            _ = try await first.waitForMessage(type: "session_update") { $0["session"]?["permissionMode"] == "plan" }
            let last = try #require(await first.messages.compactMap { $0["seq"]?.integer }.max())
            await first.close()

            await installation.endSupervisor(signal: SIGKILL)
            try await installation.restartIfDead()
            try await eventually("the program to be back") {
                try await installation.api.get("/v1/sessions/\(id)").json["lifecycle"] == "running" ? true : nil
            }
            let second = try await browser()
            let history = try await second.waitForMessage(type: "message_history")["messages"]?.array ?? []
            #expect(history.filter { $0["type"] == "user_message" }.count == 1)
            #expect(history.filter { $0["type"] == "result" }.count == 1)
            try await second.send(["type": "user_message", "content": "SAY after-the-restart"])
            _ = try await second.waitForMessage(type: "assistant") {
                ($0["message"]?["content"]?.array?.first?["text"]?.string ?? "").contains("after-the-restart")
            }
            // Numbers go on where they were.
            try await second.send(["type": "session_subscribe", "last_seq": .integer(last)])
            #expect(await second.messages.compactMap { $0["seq"]?.integer }.allSatisfy { $0 > last })
            _ = try await second.waitForMessage(type: "result")
            #expect(try await installation.api.post("/api/sessions/\(id)/kill").status == 200)
            try await eventually("the program's end") { program.process.isRunning ? nil : true }
            #expect(program.process.terminationStatus == 0, "\(program.errorText)")
            try await eventually("the session's end") {
                try await installation.api.session(id)["lifecycle"] == "stopped" ? true : nil
            }
            await second.close()
        }
    }

    @Test func aWrappedProgramsEndWaitsUntilTheServerHasHeardOfIt() async throws {
        try await Rookery.with { installation in
            let file = try await enrol(installation)
            let id = SessionID().description
            let script = installation.root.path + "/listens.sh"
            try "exec cat >/dev/null".write(toFile: script, atomically: true, encoding: .utf8)
            let program = try RunningProgram(
                [
                    Programs.built("rookery"), "wrap", "--structured", "--device-file", file, "--", "/bin/sh", script,
                    "--session-id", id,
                ], environment: ["HOME": installation.root.path], logs: installation.root, name: "wrap")
            try await eventually("the session") {
                try await installation.api.get("/v1/sessions/\(id)").json["lifecycle"] == "running" ? true : nil
            }
            let supervisor = try #require(installation.supervisor?.process.processIdentifier)
            kill(supervisor, SIGSTOP)
            defer { kill(supervisor, SIGCONT) }
            kill(program.process.processIdentifier, SIGTERM)
            try await Task.sleep(for: .seconds(1))
            #expect(program.process.isRunning, "nobody has heard of the end")
            kill(supervisor, SIGCONT)
            try await eventually("the program's end") { program.process.isRunning ? nil : true }
            #expect(program.process.terminationStatus == 128 + SIGTERM, "\(program.errorText)")
            #expect(try await installation.api.session(id)["lifecycle"] == "stopped")
        }
    }

    @Test func aWrappedProgramIsApprovedFromElsewhereOverARestartOfTheServer() async throws {
        try await Rookery.with { installation in
            let file = try await enrol(installation)
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
            #expect(mode == 0o600)

            let script = installation.root.path + "/asks.sh"
            try """
            stty -echo
            echo before; echo 'Do you want to proceed?'; echo ' ❯ 1. Yes'; echo '   2. No'
            read answer
            clear; echo "answer:$answer"; tty; sleep 2; exit 7
            """.write(toFile: script, atomically: true, encoding: .utf8)
            let status = installation.root.path + "/status"
            let shell =
                "\(Programs.built("rookery")) wrap --device-file \(file) -- /bin/sh \(script); echo $? > \(status)"
            let socket = installation.root.path + "/tmux"
            let server = try RunningProgram(
                ["/usr/bin/tmux", "-S", socket, "-D"], logs: installation.root, name: "tmux")
            try await eventually("tmux's socket") { FileManager.default.fileExists(atPath: socket) ? true : nil }
            let closing = "for fd in /proc/$$/fd/*; do fd=${fd##*/}; [ $fd -gt 2 ] && eval \"exec $fd>&-\"; done; "
            _ = try await run(
                [
                    "/bin/bash", "-c", closing + #"exec /usr/bin/tmux "$@""#, "tmux", "-S", socket, "new-session",
                    "-d", "-x", "100", "-y", "30", shell,
                ], logs: installation.root)

            func remote() async throws -> JSONValue? {
                try await installation.api.get("/api/sessions").json.array?.first { $0["backendType"] == "remote" }
            }
            let session = try await eventually("the prompt") { () -> JSONValue? in
                guard let session = try await remote(), session["pending_prompts"] == 1 else { return nil }
                return session
            }
            #expect(session["active"] == true)
            #expect(session["command"]?.string == "/bin/sh \(script)")

            // The program does not care whether the server lives.
            await installation.endSupervisor(signal: SIGKILL)
            try await installation.restartIfDead()
            try await eventually("the program to be back") { try await remote()?["active"] == true ? true : nil }
            #expect(try await remote()?["id"] == session["id"], "the same session goes on")
            let approved = try await installation.api.post("/api/prompts/1/approve")
            #expect(approved.status == 200, "\(approved.text)")
            let code7 = try await eventually("the program's end") {
                (try? String(contentsOfFile: status, encoding: .utf8)).flatMap { $0.isEmpty ? nil : $0 }
            }
            #expect(code7 == "7\n")
            try await eventually("the session's end") { try await remote()?["active"] == false ? true : nil }
            #expect(try await installation.api.post("/api/prompts/1/reject").status == 409)
            await server.end()
        }
    }
}
