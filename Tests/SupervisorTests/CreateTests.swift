import Foundation
import Policy
import Registry
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

struct CreateTests {
    @Test func aSessionRunsWhenCreateReturns() async throws {
        try await Box.with { box in
            let view = try await box.supervisor.create(
                SessionCreation(name: "first", size: TerminalSize(cols: 120, rows: 40), env: ["A": "b"], model: "opus"),
                idempotencyKey: nil, by: box.alice)
            #expect(view.record.lifecycle == .running)
            #expect(view.record.incarnation == 1)
            #expect(view.worker?.activity == .idle)
            let request = try #require(box.launcher.state.withLock { $0.launches.first })
            #expect(request.sessionID == view.record.id)
            #expect(request.firstSequence == 3)
            #expect(request.size == TerminalSize(cols: 120, rows: 40))
            #expect(request.environment["A"] == "b")
            #expect(request.environment["CLAUDE_SESSION_ID"] == view.record.id.description)
            #expect(request.environment["ROOKERY_MODEL"] == "opus")

            let stored = try await box.registry.session(view.record.id)
            #expect(stored?.lifecycle == .running)
            #expect(stored?.workerPID == getpid())
            await box.supervisor.manifests.drain()
            let manifest = "\(box.path)/state/manifests/\(view.record.id).json"
            let data = try Data(contentsOf: URL(filePath: manifest))
            #expect(try JSONDecoder.rookery.decode(SessionRecord.self, from: data).lifecycle == .running)
        }
    }

    @Test func theFirstPromptIsTyped() async throws {
        try await Box.with { box in
            let id = try await box.create(SessionCreation(prompt: "hello"))
            #expect(try box.worker(id).inputs == ["hello"])
        }
    }

    @Test(arguments: [
        ScriptedLauncher.Script.fail(
            LaunchFailure(step: "clone", errno: 1, message: "clone3: EPERM", remedy: "allow user namespaces")),
        .launchNothing, .silence, .launchImpostor,
    ])
    func whatDoesNotStartLeavesNothing(_ script: ScriptedLauncher.Script) async throws {
        try await Box.with { box in
            box.launcher.script(script)
            let id = SessionID()
            let refused = await refusal { try await box.create(SessionCreation(id: id)) }
            let error = try #require(refused)
            if case .fail(let failure) = script {
                #expect(error.code == .launchFailed)
                #expect(error.launchFailure == failure)
                #expect(error.detail.contains("allow user namespaces"))
            } else if case .silence = script {
                #expect(error.code == .unresponsive)
            } else {
                #expect(error.code == .launchFailed)
                #expect(error.launchFailure?.step == "worker")
            }
            #expect(try await box.registry.session(id) == nil)
            #expect(box.launcher.state.withLock { $0.removed.map(\.sessionID) } == [id])
            await box.supervisor.manifests.drain()
            #expect(!FileManager.default.fileExists(atPath: "\(box.path)/state/manifests/\(id).json"))
            #expect(box.launcher.worker(id) == nil)
            // Its place and its uids are free again.
            let next = try await box.create(SessionCreation(id: id))
            #expect(try await box.record(next).uidSlot == 0)
            #expect(await box.supervisor.admission.reserved.count == 1)
        }
    }

    @Test func aFullDiskOfTheLauncherIsStorage() async throws {
        try await Box.with { box in
            box.launcher.script(
                .fail(LaunchFailure(step: "mkdir", errno: ENOSPC, message: "no space left", remedy: "free some")))
            #expect(await refusal { try await box.create() }?.code == .storage)
        }
    }

    @Test func whatAFailedStartLeavesIsRemovedLater() async throws {
        try await Box.with { box in
            let failure = LaunchFailure(step: "remove", errno: EIO, message: "bad disk", remedy: "mend it")
            box.launcher.state.withLock { $0.failsRemove = failure }
            box.launcher.script(.fail(failure))
            let id = SessionID()
            #expect(await refusal { try await box.create(SessionCreation(id: id)) }?.code == .launchFailed)
            let left = try await box.registry.session(id)
            #expect(left?.desired == .deleted)
            box.launcher.state.withLock { $0.failsRemove = nil }
            await box.tick()
            let after = try await box.registry.session(id)
            #expect(after == nil)
        }
    }

    @Test func theSameKeyIsTheSameSession() async throws {
        try await Box.with { box in
            @Sendable func create(_ name: String) async throws -> SessionID {
                try await box.supervisor.create(
                    SessionCreation(name: name), idempotencyKey: "once", by: box.alice
                ).record.id
            }
            box.launcher.script(.slow(.milliseconds(200)))
            let ids = try await withThrowingTaskGroup(of: SessionID.self) { group in
                for _ in 0..<10 { group.addTask { try await create("a") } }
                return try await group.reduce(into: Set<SessionID>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            #expect(box.launcher.state.withLock { $0.launches.count } == 1)
            #expect(await refusal { _ = try await create("b") }?.code == .invalid)
            #expect(await box.supervisor.admission.reserved.count == 1)
        }
    }

    @Test func anIdIsUsedOnce() async throws {
        try await Box.with { box in
            let id = try await box.create()
            #expect(await refusal { try await box.create(SessionCreation(id: id)) }?.code == .exists)
            #expect(try await box.record(id).lifecycle == .running)
            // Its entry is still the running one's.
            _ = try await box.supervisor.input(id, text: "x", clientID: nil, submit: true, by: box.alice)
            try await box.supervisor.delete(id, keepWorkspace: false, by: box.alice)
            #expect(await refusal { try await box.create(SessionCreation(id: id)) }?.code == .exists)
            #expect(await box.supervisor.admission.reserved.isEmpty)
        }
    }

    @Test func aFullBoxSaysSoAndWhatHelps() async throws {
        var settings = Box.Settings()
        settings.maxSessions = 2
        try await Box.with(settings) { box in
            let first = try await box.create()
            try await box.create()
            let refused = await refusal { try await box.create() }
            let error = try #require(refused)
            #expect(error.code == .full)
            #expect((1...300).contains(error.retryAfterSeconds ?? 0))
            #expect(error.detail.contains("2 of 2") && error.detail.contains("--max-sessions"))
            _ = try await box.supervisor.park(first, by: box.alice)
            try await box.create()
            // Waking is starting: it needs a place too, and leaves the session as it was.
            let refusedWake = await refusal {
                _ = try await box.supervisor.input(first, text: "x", clientID: nil, submit: true, by: box.alice)
            }
            #expect(refusedWake?.code == .full)
            #expect(try await box.record(first).lifecycle == .parked)
        }
    }

    @Test func manyAtOnceNeverExceedTheLimit() async throws {
        var settings = Box.Settings()
        settings.maxSessions = 5
        try await Box.with(settings) { box in
            let made = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 { group.addTask { (try? await box.create()) != nil } }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(made == 5)
            #expect(box.launcher.state.withLock { $0.launches.count } == 5)
        }
    }

    @Test(arguments: [
        SessionCreation(policy: "nonesuch"), SessionCreation(image: "ubuntu"), SessionCreation(env: ["HOME": "/x"]),
        SessionCreation(env: ["A=B": "x"]), SessionCreation(env: ["A": "x\0y"]), SessionCreation(model: "--help"),
        SessionCreation(permissionMode: "root"), SessionCreation(permissionMode: "bypassPermissions"),
        SessionCreation(name: "a\u{1b}[2J"), SessionCreation(name: String(repeating: "n", count: 201)),
        SessionCreation(labels: ["": "x"]), SessionCreation(labels: ["a:b": "x"]),
        SessionCreation(idleTimeout: TimeSpan(milliseconds: 1)),
        SessionCreation(maxLifetime: TimeSpan(milliseconds: 1)),
    ])
    func whatIsNotAcceptableIsSaid(_ creation: SessionCreation) async throws {
        try await Box.with { box in
            #expect(await refusal { try await box.create(creation) }?.code == .invalid)
            #expect(box.launcher.state.withLock { $0.launches.isEmpty })
        }
    }

    @Test func aPromptThatNobodyCouldTypeIsRefused() async throws {
        try await Box.with { box in
            let prompt = String(repeating: "p", count: 300_000)
            let error = await refusal { try await box.create(SessionCreation(prompt: prompt)) }
            #expect(error?.code == .invalid)
        }
    }

    @Test func aCallerThatGoesAwayDoesNotLeaveHalfASession() async throws {
        try await Box.with { box in
            box.launcher.script(.slow(.milliseconds(300)))
            let id = SessionID()
            let caller = Task { try await box.create(SessionCreation(id: id)) }
            try await eventually("the launch") { box.launcher.state.withLock { $0.launches.isEmpty } ? nil : true }
            caller.cancel()
            try await box.waitFor(id, .running)
        }
    }

    @Test func withoutALauncherNothingIsStartedAndReadinessSaysSo() async throws {
        try await Box.with { box in
            let id = try await box.create()
            _ = try await box.supervisor.park(id, by: box.alice)
            box.launcher.die()
            try await eventually("the outage") { await box.supervisor.launcher.outage }
            #expect(await refusal { try await box.create() }?.code == .unavailable)
            #expect(await refusal { _ = try await box.supervisor.resume(id, by: box.alice) }?.code == .unavailable)
            #expect(try await box.record(id).lifecycle == .parked)
            let readiness = await box.supervisor.readiness()
            #expect(!readiness.ready)
            #expect(readiness.checks["launcher"] != "ok")
            #expect(readiness.checks["registry"] == "ok")
        }
    }
}
