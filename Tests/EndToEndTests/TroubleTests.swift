import EndToEndSupport
import Foundation
import NIOHTTP1
import SessionCore
import Testing

/// Processes that die at bad moments, and boxes where something is missing. Each must give a clear answer and leave
/// no process, cgroup, mount, socket or directory behind (`Rookery.with` checks that at its end).
@Suite(.serialized) struct TroubleTests {
    /// A start command that needs no CLI: prints a line and waits for input.
    static func shell(_ text: String, in rookery: Rookery) throws -> String {
        let file = rookery.root.appending(path: "start-\(UUID().uuidString.prefix(4))")
        try text.write(to: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
        return file.path
    }

    @Test func aWorkerKilledTakesItsSandboxWithItAndTheSessionComesBack() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create()
            try await api.waitForScreen(id, containing: "❯")
            try await api.input(id, "SAY said-before-the-crash")
            try await api.waitForScreen(id, containing: "● said-before-the-crash")
            // Claude Code stores a message some 100 ms after it shows the answer; what it has not stored is lost.
            let file = rookery.path("/home/agent/.claude/projects/-workspace/\(id).jsonl", of: id)
            try await eventually("the message in the transcript") {
                let text = FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) }
                return text?.contains("said-before-the-crash") == true ? true : nil
            }

            let before = rookery.processes(of: id).map(\.pid)
            let worker = try #require(rookery.processes(of: id).first { $0.command.contains("rookery-worker") })
            let begin = ContinuousClock.now
            kill(worker.pid, SIGKILL)
            try await eventually("the sandbox to follow its worker") {
                Set(rookery.processes(of: id).map(\.pid)).isDisjoint(with: before) ? true : nil
            }
            try await eventually("the next incarnation") {
                let session = try await api.session(id)
                let runs = session["lifecycle"]?.string == "running"
                return runs && session["incarnation"]?.integer == 2 ? true : nil
            }
            print("worker killed, session running again after \(ContinuousClock.now - begin)")
            try await api.waitForScreen(id, containing: "❯")
            try await api.input(id, "RECALL")
            try await api.waitForScreen(id, containing: "said-before-the-crash")
        }
    }

    @Test func aCommandKilledFromOutsideIsStartedAgain() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create()
            try await api.waitForScreen(id, containing: "❯")
            let claude = try #require(rookery.processes(of: id).first { $0.command.contains("--session-id") })
            kill(claude.pid, SIGKILL)
            try await eventually("the next incarnation to run") {
                let session = try await api.session(id)
                return session["incarnation"]?.integer == 2 && session["lifecycle"]?.string == "running" ? true : nil
            }
            try await api.waitForScreen(id, containing: "❯")
        }
    }

    @Test func aSupervisorKilledLeavesSessionsRunningAndTheNextOneAdoptsThem() async throws {
        try await Rookery.with { rookery in
            let id = try await rookery.api.create()
            let lost = try await rookery.api.create()
            try await rookery.api.waitForScreen(id, containing: "❯")
            try await rookery.api.input(id, "SAY said-before-the-restart")
            try await rookery.api.waitForScreen(id, containing: "● said-before-the-restart")

            await rookery.endSupervisor(signal: SIGKILL)
            #expect(rookery.processes(of: id).contains { $0.command.contains("--session-id") })
            let worker = try #require(rookery.processes(of: lost).first { $0.command.contains("rookery-worker") })
            kill(worker.pid, SIGKILL)

            let begin = ContinuousClock.now
            try await rookery.start()
            print("supervisor killed and started again, ready after \(ContinuousClock.now - begin)")
            let api = rookery.api
            #expect(try await api.session(id)["lifecycle"]?.string == "running")
            #expect(try await api.session(id)["incarnation"]?.integer == 1)
            #expect(try await api.screen(id).contains("● said-before-the-restart"))
            try await api.input(id, "SAY said-after-the-restart")
            try await api.waitForScreen(id, containing: "● said-after-the-restart")
            try await eventually("the session without a worker to be started again") {
                let session = try await api.session(lost)
                let runs = session["lifecycle"]?.string == "running"
                return runs && session["incarnation"]?.integer == 2 ? true : nil
            }
            #expect(try await api.get("/readyz").json["checks"]?["adoption"]?.string == "1 adopted, 1 resumed")
        }
    }

    @Test func aLauncherThatIsKilledIsStartedAgainAndSessionsDoNotNotice() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create()
            try await api.waitForScreen(id, containing: "❯")
            let launcher = try #require(rookery.processes().first { $0.command.contains("--guarded") })
            kill(launcher.pid, SIGKILL)
            // The one after it makes the next session, and ends the one that it did not start.
            let next = try await eventually("a session by the next launcher") { () async throws -> String? in
                let answer = try await api.post("/v1/sessions", [:])
                guard answer.status == 201, let next = answer.json["id"]?.string else { return nil }
                rookery.created.add(next)
                return next
            }
            try await api.waitFor(next, lifecycle: .running)
            #expect(try await api.session(id)["incarnation"]?.integer == 1)
            #expect(try await api.post("/v1/sessions/\(id)/stop").status == 200)
            #expect(rookery.processes(of: id).isEmpty)
        }
    }

    @Test func aStoppedWorkerIsUnresponsiveAndGoesOn() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create()
            try await api.waitForScreen(id, containing: "❯")
            let worker = try #require(rookery.processes(of: id).first { $0.command.contains("rookery-worker") })
            kill(worker.pid, SIGSTOP)
            try await eventually("the flag") {
                try await api.session(id)["flags"]?.array?.contains("unresponsive") == true ? true : nil
            }
            #expect(try await api.session(id)["lifecycle"]?.string == "running")
            kill(worker.pid, SIGCONT)
            try await api.input(id, "SAY still-here")
            try await api.waitForScreen(id, containing: "● still-here")
            #expect(try await api.session(id)["incarnation"]?.integer == 1)
        }
    }

    @Test func aStoppedSupervisorLeavesSessionsRunning() async throws {
        try await Rookery.with { rookery in
            let id = try await rookery.api.create()
            try await rookery.api.waitForScreen(id, containing: "❯")
            await rookery.endSupervisor(signal: SIGTERM)
            #expect(!rookery.processes(of: id).isEmpty)
            try await rookery.start()
            #expect(try await rookery.api.session(id)["lifecycle"]?.string == "running")
        }
    }

    @Test func aSecondSupervisorOnTheSameStateIsRefused() async throws {
        try await Rookery.with { rookery in
            let second = try await run(rookery.serveArguments, logs: rookery.root)
            #expect(second.status == 1)
            #expect(second.errors.contains("locked"))
        }
    }

    @Test func aPortInUseIsNamed() async throws {
        try await Rookery.with { rookery in
            let taken = String(rookery.address.dropFirst("http://".count))
            let second = try await run(
                [
                    Programs.built("rookery"), "serve", "--bind", taken, "--state-dir", rookery.root.path + "/other",
                    "--runtime-dir", rookery.root.path + "/other-run",
                ], logs: rookery.root)
            #expect(second.status == 1)
            #expect(second.errors.contains(taken))
            try? FileManager.default.removeItem(atPath: rookery.root.path + "/other")
        }
    }

    @Test func aMissingClaudeBinaryIsNamedAndNothingIsLeft() async throws {
        try await Rookery.with(RookeryOptions(arguments: ["--claude-binary", "/nonexistent/claude"])) { rookery in
            let answer = try await rookery.api.post("/v1/sessions", [:])
            #expect(answer.status == 503)
            #expect(answer.json["code"]?.string == "launch_failed")
            #expect(answer.text.contains("/nonexistent/claude"))
            #expect(answer.json["remedy"]?.string?.isEmpty == false)
            #expect(try await rookery.api.sessions().isEmpty)
            #expect(rookery.leftovers().filter { $0.contains("sessions/") } == [])
        }
    }

    @Test func aCommandThatExitsAtOnceFailsWithItsLastWords() async throws {
        let command = "/tmp/rk-exits-\(UUID().uuidString.prefix(8))"
        try "#!/bin/sh\necho no such luck\nexit 3\n".write(toFile: command, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: command) }
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: command)
        try await Rookery.with(RookeryOptions(startCommand: command)) { rookery in
            let answer = try await rookery.api.post("/v1/sessions", [:])
            if answer.status == 201, let id = answer.json["id"]?.string {
                rookery.created.add(id)
                try await rookery.api.waitFor(id, lifecycle: .failed)
                let session = try await rookery.api.session(id)
                #expect(session["reason"]?.string == "exited")
                #expect(session["detail"]?.string?.contains("no such luck") == true)
            } else {
                #expect(answer.status == 503)
                #expect(answer.text.contains("no such luck"))
            }
        }
    }

    @Test(.enabled(if: Programs.isRoot)) func aFullDiskOnCreateIsSaidAndLeavesNothing() async throws {
        let disk = "/tmp/rk-disk-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: disk) }
        let logs = URL(fileURLWithPath: "/tmp")
        #expect(
            try await run(["/usr/bin/mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk], logs: logs).status == 0)
        try await Rookery.with(RookeryOptions(stateDirectory: disk + "/state")) { rookery in
            let ballast = disk + "/ballast"
            _ = try await run(["/bin/sh", "-c", "cat /dev/zero > \(ballast)"], logs: rookery.root)
            let answer = try await rookery.api.post("/v1/sessions", [:])
            #expect(answer.status == 507)
            #expect(answer.json["code"]?.string == "storage")
            try FileManager.default.removeItem(atPath: ballast)
            // There is room again: the same request works.
            let id = try await rookery.api.create()
            try await rookery.api.waitFor(id, lifecycle: .running)
        }
        #expect(try await run(["/usr/bin/umount", disk], logs: logs).status == 0)
    }

    @Test func aBoxThatIsFullSaysWhenToComeBack() async throws {
        try await Rookery.with(RookeryOptions(arguments: ["--max-sessions", "1"])) { rookery in
            _ = try await rookery.api.create()
            let refused = try await rookery.api.post("/v1/sessions", [:])
            #expect(refused.status == 503)
            #expect(refused.json["code"]?.string == "full")
            #expect(refused.headers.first(name: "retry-after") != nil)
        }
    }

    @Test func twentySessionsCreatedAtOnceAllRun() async throws {
        let command = "/tmp/rk-many-\(UUID().uuidString.prefix(8))"
        try "#!/bin/sh\nexec cat\n".write(toFile: command, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: command) }
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: command)
        try await Rookery.with(RookeryOptions(startCommand: command)) { rookery in
            let api = rookery.api
            let ids = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<20 { group.addTask { try await api.create() } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(ids.count == 20)
            let running = try await api.sessions().filter { $0["lifecycle"]?.string == "running" }
            #expect(running.count == 20)
        }
    }
}
