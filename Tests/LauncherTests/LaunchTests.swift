import Foundation
import Glibc
import Policy
import Sandbox
import SessionCore
import Testing
import WorkerControl

@Suite struct LaunchTests {
    static let modes = Stage.isRoot ? [false, true] : [true]

    @Test("a session runs in its sandbox with its worker, and is cleaned and removed", arguments: modes)
    func life(rootless: Bool) async throws {
        try await Stage.with(rootless: rootless) { stage in
            let id = SessionID()
            let slot = Stage.slot()
            let session = try await stage.launcher.launch(.plain(id, slot: slot, start: try stage.waitingScript()))
            let directory = "state/sessions/\(id)"
            #expect(await eventually { stage.scratch.exists("\(directory)/home/mark") })
            #expect(stage.scratch.text("\(directory)/workspace/mark")?.hasPrefix("1000 ") == true)
            #expect(runs(session.workerPID) && runs(session.sandboxPID))

            let tenant = rootless ? Stage.service : UInt32(0x1000_0000 + 65_536 * slot + 1000)
            for part in ["workspace", "home", "workspace/mark", "home/worker-report"] {
                #expect(stage.scratch.status("\(directory)/\(part)")?.st_uid == tenant, "\(part)")
            }
            #expect(stage.scratch.status("\(directory)/home").map { $0.st_mode & 0o777 } == 0o700)
            #expect(stage.scratch.status("run/w/\(id)")?.st_uid == Stage.service)
            #expect(stage.scratch.status("run/w/\(id)").map { $0.st_mode & 0o777 } == 0o700)
            #expect(stage.scratch.status("state/journals/\(id)")?.st_uid == Stage.service)
            #expect(stage.scratch.status("state/journals/\(id)").map { $0.st_mode & 0o777 } == 0o700)

            let report = try #require(stage.scratch.text("\(directory)/home/worker-report"))
            #expect(report.contains("uid \(Stage.service) gid \(Stage.service)\n"))
            #expect(report.contains("\(stage.scratch.path)/run/w/\(id)") || report.contains("\\/run\\/w\\/\(id)"))
            let descriptors = report.split(separator: "\n").filter { $0.hasPrefix("fd ") }
            let freezes = CgroupLeaf(kind: .v1, directories: session.cgroups).freezer != nil
            #expect(descriptors == (0...(freezes ? 14 : 13)).map { "fd \($0)" })
            #expect(!report.contains("env HOME"))

            for directory in session.cgroups.values {
                let members = try String(contentsOfFile: "\(directory)/cgroup.procs", encoding: .utf8)
                #expect(members.split(separator: "\n").contains("\(session.sandboxPID)"))
            }
            #expect(session.limits.map(\.name) == ResourceLimits.names + ["landlock"])

            let twice = try await stage.launcher.failure(
                .launch(.plain(id, slot: slot, start: try stage.waitingScript())))
            #expect(twice?.step == "session")
            let early = try await stage.launcher.failure(.remove(RemoveRequest(sessionID: id, keepWorkspace: false)))
            #expect(early?.step == "remove")
            #expect(runs(session.sandboxPID))

            #expect(try await stage.launcher.clean(id))
            #expect(!runs(session.workerPID) && !runs(session.sandboxPID))
            await stage.expectNothingLeft(of: id, directories: true)
            #expect(try await stage.launcher.clean(id))

            // The same session again, in the directories it has.
            _ = try await stage.launcher.launch(.plain(id, slot: slot, start: try stage.waitingScript()))
            #expect(try await stage.launcher.clean(id))
            _ = try await stage.launcher.ask(.remove(RemoveRequest(sessionID: id, keepWorkspace: true)))
            #expect(stage.scratch.exists("\(directory)/workspace/mark") && !stage.scratch.exists("\(directory)/home"))
            #expect(!stage.scratch.exists("state/journals/\(id)"))
            _ = try await stage.launcher.ask(.remove(RemoveRequest(sessionID: id, keepWorkspace: false)))
            await stage.expectNothingLeft(of: id, directories: false)
        }
    }

    @Test("with the real worker", arguments: modes)
    func realWorker(rootless: Bool) async throws {
        try await Stage.with(rootless: rootless, worker: nil) { stage in
            let id = SessionID()
            let session = try await stage.launcher.launch(
                .plain(id, slot: Stage.slot(), start: try stage.waitingScript()))
            #expect(runs(session.workerPID))
            #expect(stage.scratch.exists("run/w/\(id)/\(WorkerSockets.control)"))
            // Confined as it is, it can write its journal and nothing of others'.
            let journal = "\(stage.scratch.path)/state/journals/\(id)"
            #expect(await eventually { ((try? JournalReader(path: journal).lastSequence()) ?? 0) > 0 })
            #expect(await eventually { stage.scratch.exists("state/sessions/\(id)/workspace/mark") })
            // The worker's end is the sandbox's.
            kill(session.workerPID, SIGKILL)
            #expect(await eventually { !runs(session.sandboxPID) })
            #expect(try await stage.launcher.clean(id))
            await stage.expectNothingLeft(of: id, directories: true)
        }
    }

    @Test("twenty sessions at once", arguments: modes)
    func twenty(rootless: Bool) async throws {
        try await Stage.with(rootless: rootless) { stage in
            let start = try stage.waitingScript()
            let first = Stage.slot()
            let sessions = try await withThrowingTaskGroup(of: (SessionID, LaunchedSession).self) { group in
                for index in 0..<20 {
                    group.addTask {
                        let id = SessionID()
                        return (id, try await stage.launcher.launch(.plain(id, slot: first + index, start: start)))
                    }
                }
                return try await group.reduce(into: [SessionID: LaunchedSession]()) { $0[$1.0] = $1.1 }
            }
            #expect(sessions.count == 20)
            #expect(Set(sessions.values.map(\.sandboxPID)).count == 20)
            #expect(sessions.values.allSatisfy { runs($0.workerPID) && runs($0.sandboxPID) })
            if !rootless {
                let owners = Set(
                    sessions.keys.compactMap { stage.scratch.status("state/sessions/\($0)/workspace")?.st_uid })
                #expect(owners.count == 20)
            }
            let live = Array(sessions.keys.sorted { $0.description < $1.description }.prefix(5))
            guard case .swept(let swept) = try await stage.launcher.ask(.sweep(SweepRequest(live: live))) else {
                Issue.record("no answer to sweep")
                return
            }
            #expect(Set(swept) == Set(sessions.keys).subtracting(live))
            for (id, session) in sessions { #expect(runs(session.sandboxPID) == live.contains(id)) }
        }
    }

    @Test("sessions outlive their launcher; its successor sweeps them", arguments: modes)
    func successor(rootless: Bool) async throws {
        try await Stage.with(rootless: rootless) { stage in
            let start = try stage.waitingScript()
            let (kept, dropped) = (SessionID(), SessionID())
            let slot = Stage.slot()
            let keptSession = try await stage.launcher.launch(.plain(kept, slot: slot, start: start))
            let droppedSession = try await stage.launcher.launch(.plain(dropped, slot: slot + 1, start: start))
            stage.launcher.kill()
            try await Task.sleep(for: .milliseconds(300))
            #expect(runs(keptSession.sandboxPID) && runs(keptSession.workerPID) && runs(droppedSession.sandboxPID))

            let next = try RunningLauncher(
                stage.scratch, rootless ? .rootless(uid: Stage.service) : .root(service: Stage.service))
            guard case .swept(let swept) = try await next.ask(.sweep(SweepRequest(live: [kept]))) else {
                Issue.record("no answer to sweep")
                return
            }
            #expect(swept == [dropped])
            #expect(!runs(droppedSession.sandboxPID) && !runs(droppedSession.workerPID))
            #expect(runs(keptSession.sandboxPID) && runs(keptSession.workerPID))
            #expect(try await next.clean(kept))
            #expect(!runs(keptSession.sandboxPID) && !runs(keptSession.workerPID))
            #expect(stage.cgroups.isEmpty)
            #expect(await next.stop() == .code(0))
        }
    }

    @Test func theLauncherEndsWhenItsSocketCloses() async throws {
        try await Stage.with(rootless: !Stage.isRoot) { stage in
            let session = try await stage.launcher.launch(
                .plain(slot: Stage.slot(), start: try stage.waitingScript()))
            #expect(await stage.launcher.stop() == .code(0))
            #expect(runs(session.sandboxPID) && runs(session.workerPID))
            kill(session.workerPID, SIGKILL)
            #expect(await eventually { !runs(session.sandboxPID) })
            let next = try RunningLauncher(
                stage.scratch, Stage.isRoot ? .root(service: Stage.service) : .rootless(uid: Stage.service))
            _ = try await next.ask(.sweep(SweepRequest(live: [])))
            #expect(stage.cgroups.isEmpty)
            _ = await next.stop()
        }
    }

    @Test("capabilities say what holds", arguments: modes)
    func capabilities(rootless: Bool) async throws {
        try await Stage.with(rootless: rootless) { stage in
            guard case .capabilities(let found) = try await stage.launcher.ask(.capabilities) else {
                Issue.record("no answer")
                return
            }
            #expect(found.rootless == rootless)
            #expect(found.limits.map(\.name) == ResourceLimits.names + ["landlock"])
            if found.cgroups == "none" {
                #expect(found.limits.first { $0.name == "memory" }?.by == "none")
            } else {
                #expect(found.limits.contains { $0.by == "cgroup-\(found.cgroups)" })
            }
            #expect(stage.cgroups.isEmpty)
        }
    }
}
