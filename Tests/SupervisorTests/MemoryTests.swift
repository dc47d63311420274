import Foundation
import Policy
import Registry
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

/// Memory kills, the high-water mark and the freezer as the supervisor sees them: a cgroup of plain files, a scripted worker.
struct MemoryTests {
    /// The files of a cgroup v1 that the supervisor reads.
    struct Cgroup {
        let path: String

        init(in box: Box) throws {
            path = "\(box.path)/cgroup"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try use(100, idle: 0)
            try kills(0)
            try write("memory.limit_in_bytes", "\(512 << 20)")
            try write("memory.max_usage_in_bytes", "\(511 << 20)")
            box.launcher.state.withLock { $0.cgroups = ["memory": path] }
        }

        /// In MiB; `idle` is what could be had back.
        func use(_ used: Int, idle: Int) throws {
            try write("memory.usage_in_bytes", "\(used << 20)")
            try write("memory.stat", "cache 1\ntotal_inactive_file \(idle << 20)\n")
        }

        func kills(_ count: Int) throws {
            try write("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill \(count)\n")
        }

        private func write(_ file: String, _ text: String) throws {
            try text.write(toFile: "\(path)/\(file)", atomically: true, encoding: .utf8)
        }
    }

    static func settings(freezeAfter: TimeSpan? = nil) -> Box.Settings {
        var settings = Box.Settings()
        settings.policy.sandbox.limits.memory = .mebibytes(512)
        settings.policy.sandbox.limits.memoryHigh = .mebibytes(400)
        settings.policy.idle.freezeAfter = freezeAfter
        return settings
    }

    static func data(of type: EventType, _ worker: ScriptedWorker) -> [JSONValue] {
        worker.state.withLock { $0.events.filter { $0.type == type }.map(\.data) }
    }

    @Test func aKillIsToldOnceWithWhatIsKnownOfIt() async throws {
        try await Box.with(Self.settings()) { box in
            let cgroup = try Cgroup(in: box)
            let id = try await box.create()
            let worker = try box.worker(id)
            await box.tick()
            #expect(Self.data(of: .sessionOOM, worker).isEmpty)
            box.launcher.state.withLock { $0.memoryKills = [MemoryKill(name: "python3", residentBytes: 500 << 20)] }
            try cgroup.kills(1)
            await box.tick()
            await box.tick()
            let told = Self.data(of: .sessionOOM, worker)
            #expect(
                told == [
                    [
                        "kills": 1, "peak": .integer(511 << 20), "limit": .integer(512 << 20),
                        "killed": [["name": "python3", "resident": .integer(500 << 20)]],
                    ]
                ])
            #expect(try await box.record(id).lifecycle == .running)
        }
    }

    @Test func anEndAfterAKillIsOutOfMemoryAndTheSessionCanBeResumed() async throws {
        try await Box.with(Self.settings()) { box in
            let cgroup = try Cgroup(in: box)
            let id = try await box.create()
            try cgroup.kills(1)
            // Told just before the end is seen.
            await box.tick()
            try box.worker(id).end(code: nil)
            let record = try await box.waitFor(id, .parked)
            #expect(record.reason == .oom)
            #expect(record.detail?.contains("512MiB") == true)
            #expect(try await box.supervisor.resume(id, by: box.alice).record.lifecycle == .running)
        }
    }

    @Test func theHighWaterMarkIsWarnedOfAndTheSessionStartedAnewBetweenTwoTurns() async throws {
        try await Box.with(Self.settings()) { box in
            let cgroup = try Cgroup(in: box)
            let id = try await box.create()
            let worker = try box.worker(id)
            worker.become(.working)
            // File pages that can be had back at once are not the session's need.
            try cgroup.use(450, idle: 200)
            await box.tick()
            #expect(Self.data(of: .sessionLimits, worker).isEmpty)
            try cgroup.use(450, idle: 10)
            await box.tick()
            await box.tick()
            let warned = Self.data(of: .sessionLimits, worker)
            #expect(warned.count == 1)
            #expect(warned.first?["high_water"]?["mark"]?.integer == 400 << 20)
            // Not in a turn, however long it takes.
            box.clock.advance(3600)
            await box.tick()
            #expect(try await box.record(id).incarnation == 1)

            worker.become(.idle)
            _ = try await box.supervisor.session(id, as: box.alice)
            box.clock.advance(10)
            await box.tick()
            let record = try await box.record(id)
            #expect(record.lifecycle == .running && record.incarnation == 2)
            #expect(worker.state.withLock { $0.stops }.count == 1)
            // Not again and again.
            box.clock.advance(60)
            await box.tick()
            await box.tick()
            #expect(try await box.record(id).incarnation == 2)
        }
    }

    @Test func everyLimitIsToldAtTheStart() async throws {
        try await Box.with(Self.settings()) { box in
            box.launcher.state.withLock {
                $0.limits = [
                    EnforcedLimit(name: "memory", asked: "512MiB", enforced: "512MiB", by: "cgroup-v1"),
                    EnforcedLimit(name: "disk", asked: "5GiB", enforced: nil, by: "none", note: "rootless"),
                    EnforcedLimit(name: "inodes", asked: "none", enforced: nil, by: "none"),
                ]
            }
            let id = try await box.create()
            let told = try #require(Self.data(of: .sessionLimits, try box.worker(id)).first)
            #expect(told["not_enforced"] == ["disk"])
            #expect(
                told["limits"]?.array?.first
                    == ["name": "memory", "asked": "512MiB", "enforced": "512MiB", "by": "cgroup-v1"])
            #expect(told["limits"]?.array?.count == 3)
        }
    }

    @Test func anIdleSessionIsFrozenAfterItsPolicysTime() async throws {
        try await Box.with(Self.settings(freezeAfter: .minutes(2))) { box in
            let id = try await box.create()
            let worker = try box.worker(id)
            box.clock.advance(100)
            await box.tick()
            #expect(worker.state.withLock { $0.status.frozenSince } == nil)
            box.clock.advance(30)
            await box.tick()
            #expect(worker.state.withLock { $0.status.frozenSince } != nil)
            #expect(try await box.supervisor.session(id, as: box.alice).worker?.frozenSince != nil)
            let report = try await box.supervisor.idle(id, as: box.alice)
            #expect(report.signals.first { $0.name == "frozen" }?.value == "true")
            // It can be ended like any other.
            #expect(try await box.supervisor.park(id, by: box.alice).record.lifecycle == .parked)
        }
    }

    @Test func whatWorksIsPinnedOrHasAShellInTheBackgroundIsNotFrozen() async throws {
        try await Box.with(Self.settings(freezeAfter: .minutes(2))) { box in
            let (working, pinned, shell) = (try await box.create(), try await box.create(), try await box.create())
            try box.worker(working).become(.working, since: .distantPast)
            _ = try await box.supervisor.update(pinned, SessionPatch(pinned: true), by: box.alice)
            try box.worker(shell).state.withLock { $0.status.backgroundShell = true }
            for id in [working, shell] { _ = try await box.supervisor.session(id, as: box.alice) }
            box.clock.advance(86_400)
            await box.tick()
            for id in [working, pinned, shell] {
                #expect(try box.worker(id).state.withLock { $0.status.frozenSince } == nil)
            }
        }
    }

    @Test func aWorkerThatCannotFreezeIsNotAskedAgain() async throws {
        try await Box.with(Self.settings(freezeAfter: .minutes(2))) { box in
            let id = try await box.create()
            let worker = try box.worker(id)
            worker.state.withLock { $0.refusesFreeze = "cannot_freeze" }
            box.clock.advance(200)
            await box.tick()
            worker.state.withLock { $0.refusesFreeze = nil }
            await box.tick()
            #expect(worker.state.withLock { $0.status.frozenSince } == nil)
        }
    }
}
