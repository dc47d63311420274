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
                    Programs.built("rookery"), "wrap", "--structured", "--patience", "120", "--device-file", file, "--",
                    Programs.claude,
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

    private func wrap(_ installation: Rookery, _ file: String, _ id: String, _ program: [String]) throws
        -> RunningProgram
    {
        let home = installation.root.path + "/laptop"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        return try RunningProgram(
            [Programs.built("rookery"), "wrap", "--structured", "--patience", "120", "--device-file", file, "--"]
                + program,
            environment: [
                "HOME": home, "ANTHROPIC_BASE_URL": installation.modelAddress, "ANTHROPIC_API_KEY": "dummy-key",
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", "ROOKERY_TEST": id,
            ], logs: installation.root, name: "wrap")
    }

    private func history(_ api: APIClient, _ id: String) async throws -> [JSONValue] {
        var all: [JSONValue] = []
        var cursor: String? = "0"
        while let from = cursor {
            let page = try await api.get("/v1/sessions/\(id)/transcript?limit=7&cursor=\(from)")
            guard page.status == 200 else { throw TimedOut(what: "the transcript: \(page.text)") }
            all += page.json["items"]?.array ?? []
            cursor = page.json["next_cursor"]?.string
        }
        return all
    }

    private func killAndRestart(_ installation: Rookery) async throws {
        await installation.endSupervisor(signal: SIGKILL)
        try await installation.restartIfDead()
    }

    @Test func aSessionElsewhereOutlivesTheServerAndItsProgram() async throws {
        try await Rookery.with { installation in
            let file = try await enrol(installation)
            let id = SessionID().description
            let command = [Programs.claude, "--permission-mode", "default", "--session-id", id]
            let program = try wrap(installation, file, id, command)
            func lifecycle() async throws -> JSONValue? {
                try await installation.api.get("/v1/sessions/\(id)").json["lifecycle"]
            }
            try await eventually("the session") { try await lifecycle() == "running" ? true : nil }
            let made = try await installation.api.post(
                "/v1/sessions/\(id)/shares", ["role": "approve", "expires_in": "1h"])
            #expect(made.status == 201, "\(made.text)")
            var approver = installation.api
            approver.token = made.json["token"]?.string

            let client = try await StreamClient(installation.api, id)
            #expect(try await client.socket.waitForMessage(type: "state")["data"]?["kind"] == "remote")
            let first = try await client.prompt("SAY one")
            #expect(try await client.end(of: first)["outcome"] == "completed")
            let done = installation.root.path + "/done"
            let text = "BASH touch \(done)"
            let prompt = SessionCommand.prompt(text: text, images: [], clientID: "same")
            let accepted = try await client.command(prompt)
            let asked = try await client.event(.permissionRequested)
            let last = try #require(await client.socket.messages.compactMap { $0["seq"]?.integer }.max())
            await client.close()

            // Killed with a question open.
            try await killAndRestart(installation)
            try await eventually("the program to be back") { try await lifecycle() == "running" ? true : nil }
            let again = try await StreamClient(installation.api, id, since: last)
            // What was accepted is the same prompt, over the restart too.
            let repeated = try await again.command(prompt)
            #expect(repeated["data"]?["seq"] == accepted["data"]?["seq"])
            #expect(repeated["data"]?["prompt_id"] == accepted["data"]?["prompt_id"])
            let path = "/v1/sessions/\(id)/permissions/\(asked["id"]?.string ?? "")"
            let inbox = try await installation.api.get("/v1/permissions").json["items"]?.array
            #expect(inbox?.count == 1)
            let allowed = try await approver.post(path, ["decision": "allow"])
            #expect(allowed.status == 200, "\(allowed.text)")
            #expect(try await installation.api.post(path, ["decision": "deny"]).status == 409)
            _ = try await again.event(.turnCompleted)
            #expect(FileManager.default.fileExists(atPath: done))
            #expect(await again.socket.messages.compactMap { $0["seq"]?.integer }.allSatisfy { $0 >= last })
            await again.close()
            let audit = try await installation.api.get("/v1/audit").json["items"]?.array ?? []
            let answers = audit.filter { $0["action"] == "permission.answer" }
            #expect(answers.count == 1)
            #expect(answers.first?["actor"]?.string?.hasPrefix("share link") == true)
            let before = try await history(installation.api, id)
            #expect(before.count { $0["type"] == "message.assistant" } >= 2)
            #expect(before.count { $0["type"] == "permission.requested" } == 1)

            // The program's side is killed in a turn, then the server.
            _ = try await installation.api.post(
                "/v1/sessions/\(id)/commands", ["type": "prompt", "text": "SLOW 60 never-said"])
            try await eventually("the turn") {
                try await history(installation.api, id).count { $0["type"] == "turn.started" } == 3 ? true : nil
            }
            for process in installation.processes(of: id) { kill(process.pid, SIGKILL) }
            try await eventually("the program's end") { program.process.isRunning ? nil : true }
            try await killAndRestart(installation)
            #expect(try await lifecycle() == "parked")
            let listed = try await installation.api.get("/v1/sessions").json["items"]?.array ?? []
            #expect(listed.map { $0["id"]?.string } == [id])
            #expect(try await approver.get("/v1/sessions/\(id)").json["kind"] == "remote")
            let after = try await history(installation.api, id)
            #expect(Array(after.prefix(before.count)) == before)
            let events = try await installation.api.events("/v1/sessions/\(id)/events?since=0") {
                $0.contains { $0["type"] == "session.parked" }
            }
            let numbers = events.compactMap { $0["seq"]?.integer }
            #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
            #expect(!events.contains { $0["type"] == "gap" })
            #expect(events.count { $0["type"] == "input.accepted" } == 3)

            // The same conversation goes on in another process.
            let second = try wrap(
                installation, file, id, [Programs.claude, "--permission-mode", "default", "--resume", id])
            try await eventually("the second program") { try await lifecycle() == "running" ? true : nil }
            let third = try await StreamClient(installation.api, id, since: numbers.last)
            #expect(try await third.event(.turnCompleted)["outcome"] == "ended")
            let said = try await third.prompt("SAY two")
            #expect(try await third.end(of: said)["outcome"] == "completed")
            #expect(try await installation.api.session(id)["incarnation"] == 2)

            // Its end, and nothing left of it.
            #expect(try await installation.api.post("/v1/sessions/\(id)/stop").status == 200)
            try await eventually("the second program's end") { second.process.isRunning ? nil : true }
            try await eventually("the end") { try await lifecycle() == "stopped" ? true : nil }
            await third.close()
            try await killAndRestart(installation)
            #expect(try await lifecycle() == "stopped")
            let journal = "\(installation.stateDirectory)/journals/\(id)"
            #expect(FileManager.default.fileExists(atPath: journal))
            #expect(try await installation.api.delete("/v1/sessions/\(id)").status == 204)
            #expect(try await installation.api.get("/v1/sessions/\(id)").status == 404)
            #expect(try await approver.get("/v1/sessions/\(id)").status == 401)
            #expect(!FileManager.default.fileExists(atPath: journal))
        }
    }

    @Test func anEndThatIsToldWhileTheServerIsKilledIsNotLost() async throws {
        try await Rookery.with { installation in
            let file = try await enrol(installation)
            let script = installation.root.path + "/listens.sh"
            try "exec cat >/dev/null".write(toFile: script, atomically: true, encoding: .utf8)
            for pause in [0, 5, 50, 500] {
                let id = SessionID().description
                let program = try wrap(installation, file, id, ["/bin/sh", script, "--session-id", id])
                try await eventually("the session") {
                    try await installation.api.get("/v1/sessions/\(id)").json["lifecycle"] == "running" ? true : nil
                }
                kill(program.process.processIdentifier, SIGTERM)
                try await Task.sleep(for: .milliseconds(pause))
                try await killAndRestart(installation)
                try await eventually("the program's end") { program.process.isRunning ? nil : true }
                #expect(program.process.terminationStatus == 128 + SIGTERM, "\(program.errorText)")
                #expect(try await installation.api.session(id)["lifecycle"] == "stopped", "after \(pause) ms")
                try await killAndRestart(installation)
                let session = try await installation.api.session(id)
                #expect(session["lifecycle"] == "stopped")
                #expect(session["reason"] == "exited")
                let events = try await installation.api.events("/v1/sessions/\(id)/events?since=0") {
                    $0.contains { $0["type"] == "session.stopped" }
                }
                #expect(events.count { $0["type"] == "session.stopped" } == 1)
            }
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
                    Programs.built("rookery"), "wrap", "--structured", "--patience", "120", "--device-file", file, "--",
                    "/bin/sh", script,
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
