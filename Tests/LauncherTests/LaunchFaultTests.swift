import Foundation
import Glibc
import Sandbox
import SessionCore
import Testing
import WorkerControl

/// Whatever step fails, the answer names it and nothing is left.
@Suite struct LaunchFaultTests {
    static let cases = LaunchTests.modes.flatMap { mode in
        [StandInWorker.silent, .dies, .complains, .crashes].map { (mode, $0) }
    }

    @Test("a worker that fails", arguments: cases)
    func worker(rootless: Bool, worker: StandInWorker) async throws {
        try await Stage.with(rootless: rootless, worker: worker) { stage in
            let id = SessionID()
            let failure = try await stage.launcher.failure(
                .launch(.plain(id, slot: Stage.slot(), start: try stage.waitingScript())))
            #expect(failure?.step == "worker")
            let says =
                switch worker {
                case .silent: "not ready after"
                case .dies: "no such luck"
                case .complains: "cannot bind control.sock"
                default: "signal 6"
                }
            #expect(failure?.message.contains(says) == true, "\(failure?.message ?? "no failure")")
            #expect(failure?.remedy.isEmpty == false)
            await stage.expectNothingLeft(of: id, directories: false)
        }
    }

    @Test("a program that is missing", arguments: LaunchTests.modes, ["rookery-worker", "rookery-init"])
    func missing(rootless: Bool, program: String) async throws {
        try await Stage.with(rootless: rootless) { stage in
            unlink("\(stage.scratch.path)/libexec/\(program)")
            let id = SessionID()
            let failure = try await stage.launcher.failure(
                .launch(.plain(id, slot: Stage.slot(), start: try stage.waitingScript())))
            #expect(failure?.errno == ENOENT)
            #expect(failure?.message.contains(program) == true, "\(failure?.message ?? "no failure")")
            await stage.expectNothingLeft(of: id, directories: false)
        }
    }

    @Test("a start command that cannot be executed", arguments: LaunchTests.modes)
    func exec(rootless: Bool) async throws {
        try await Stage.with(rootless: rootless) { stage in
            let id = SessionID()
            let start = try stage.scratch.script("start", "#!/nonexistent/interpreter\n")
            let failure = try await stage.launcher.failure(.launch(.plain(id, slot: Stage.slot(), start: start)))
            #expect(failure?.step.hasPrefix("exec") == true)
            #expect(failure?.errno == ENOENT)
            await stage.expectNothingLeft(of: id, directories: false)
        }
    }

    @Test("directories that were there stay when a launch fails", arguments: LaunchTests.modes)
    func keepsWhatWas(rootless: Bool) async throws {
        try await Stage.with(rootless: rootless) { stage in
            let id = SessionID()
            let slot = Stage.slot()
            _ = try await stage.launcher.launch(.plain(id, slot: slot, start: try stage.waitingScript()))
            #expect(await eventually { stage.scratch.exists("state/sessions/\(id)/home/mark") })
            #expect(try await stage.launcher.clean(id))
            let bad = try stage.scratch.script("bad", "#!/nonexistent/interpreter\n")
            #expect(try await stage.launcher.failure(.launch(.plain(id, slot: slot, start: bad))) != nil)
            await stage.expectNothingLeft(of: id, directories: true)
            #expect(stage.scratch.exists("state/sessions/\(id)/workspace/mark"))
        }
    }

    @Test(.enabled(if: Stage.isRoot)) func anotherSlotDoesNotGetASessionsFiles() async throws {
        try await Stage.with(rootless: false) { stage in
            let id = SessionID()
            let slot = Stage.slot()
            _ = try await stage.launcher.launch(.plain(id, slot: slot, start: try stage.waitingScript()))
            #expect(try await stage.launcher.clean(id))
            let failure = try await stage.launcher.failure(
                .launch(.plain(id, slot: slot + 1, start: try stage.waitingScript())))
            #expect(failure?.step == "workspace")
            #expect(failure?.errno == EPERM)
        }
    }

    @Test("a link in place of a session's directory is not followed", arguments: LaunchTests.modes)
    func link(rootless: Bool) async throws {
        try await Stage.with(rootless: rootless) { stage in
            let id = SessionID()
            let target = "\(stage.scratch.path)/bin/elsewhere"
            mkdir(target, 0o700)
            chown(target, Stage.service, Stage.service)
            _ = try await stage.launcher.ask(.capabilities)
            symlink(target, "\(stage.scratch.path)/state/sessions/\(id)")
            let failure = try await stage.launcher.failure(
                .launch(.plain(id, slot: Stage.slot(), start: try stage.waitingScript())))
            #expect(failure?.step == "session directory")
            _ = try await stage.launcher.ask(.remove(RemoveRequest(sessionID: id, keepWorkspace: false)))
            #expect(access(target, F_OK) == 0)
        }
    }

    @Test func aRequestThatCannotBeReadIsAnsweredAndGarbageEndsTheLauncher() async throws {
        try await Stage.with(rootless: !Stage.isRoot) { stage in
            try stage.launcher.send(Array(#"{"id":9,"request":{"launch":{"_0":{"sessionID":"../../etc"}}}}"#.utf8))
            guard case .failed(let failure)? = await stage.launcher.reply(9) else {
                Issue.record("no answer")
                return
            }
            #expect(failure.step == "request")
            try stage.launcher.send(Array("garbage".utf8))
            let after = await stage.launcher.reply(10)
            #expect(after.map { "\($0)" } == nil)
            #expect(await stage.launcher.stop() == .code(1))
            #expect(stage.scratch.text("bin/launcher.log")?.contains("not a request") == true)
        }
    }

    @Test func whatAnotherProcessSendsOverTheSupervisorsSocketIsDropped() async throws {
        try await Stage.with(rootless: !Stage.isRoot) { stage in
            try stage.launcher.sendAsAnotherProcess()
            guard case .capabilities? = try await stage.launcher.ask(.capabilities) else {
                Issue.record("the launcher does not answer its supervisor any more")
                return
            }
            #expect(!stage.launcher.hasReply(999))
            let log = stage.scratch.text("bin/launcher.log") ?? ""
            #expect(log.components(separatedBy: "did not send was dropped").count == 4)
        }
    }

    @Test("a directory that strangers may write to stops the launcher", arguments: ["state", "run"])
    func openDirectory(part: String) async throws {
        let scratch = try Scratch(owner: Stage.service)
        defer { scratch.remove() }
        chmod("\(scratch.path)/\(part)", 0o777)
        let launcher = try RunningLauncher(
            scratch, Stage.isRoot ? .root(service: Stage.service) : .rootless(uid: Stage.service))
        let answer = try await launcher.ask(.capabilities)
        #expect(answer.map { "\($0)" } == nil)
        #expect(await launcher.stop() == .code(1))
        #expect(scratch.text("bin/launcher.log")?.contains("chmod go-w") == true)
    }

    @Test(.enabled(if: Stage.isRoot)) func aDirectoryThatTheServiceCannotEnterStopsTheLauncher() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let launcher = try RunningLauncher(scratch, .root(service: Stage.service))
        let answer = try await launcher.ask(.capabilities)
        #expect(answer.map { "\($0)" } == nil)
        #expect(await launcher.stop() == .code(1))
        #expect(scratch.text("bin/launcher.log")?.contains("cannot be entered") == true)
    }

    @Test("a launcher that is killed is started again and says so")
    func guardian() async throws {
        let scratch = try Scratch(owner: Stage.service)
        defer { scratch.remove() }
        let mode: RunningLauncher.Mode =
            Stage.isRoot ? .root(service: Stage.service) : .rootless(uid: Stage.service)
        let launcher = try RunningLauncher(scratch, mode, guardian: true)
        guard case .capabilities? = try await launcher.ask(.capabilities) else {
            Issue.record("no capabilities")
            return
        }
        let first = try #require(launcher.children.first)
        Glibc.kill(first, SIGKILL)
        #expect(await eventually { launcher.sawRestart })
        guard case .capabilities? = try await launcher.ask(.capabilities) else {
            Issue.record("no capabilities of the next one")
            return
        }
        #expect(launcher.children.first != first)
        #expect(await launcher.stop() == .code(0))
    }

    @Test("a launcher that answers is started again soon, however often it is killed")
    func useful() async throws {
        let scratch = try Scratch(owner: Stage.service)
        defer { scratch.remove() }
        let launcher = try RunningLauncher(
            scratch, Stage.isRoot ? .root(service: Stage.service) : .rootless(uid: Stage.service), guardian: true)
        for _ in 1...8 {
            guard case .capabilities? = try await launcher.ask(.capabilities) else {
                Issue.record("no capabilities")
                return
            }
            let serving = try #require(launcher.children.first)
            Glibc.kill(serving, SIGKILL)
            #expect(await eventually { !launcher.children.contains(serving) })
        }
        let killed = ContinuousClock.now
        guard case .capabilities? = try await launcher.ask(.capabilities) else {
            Issue.record("no capabilities of the last one")
            return
        }
        // By itself the eighth rest would be 12.8 s.
        #expect(ContinuousClock.now - killed < .seconds(6))
        #expect(await launcher.stop() == .code(0))
    }
}
