import Foundation
import Policy
import SessionCore
import Testing

@testable import Supervisor
@testable import WorkerControl

struct RuleTests {
    static let zero = MonotonicTime(seconds: 5000)
    /// What the wall says at ``zero``: nothing depends on it.
    static let date = Date(timeIntervalSince1970: 1_900_000_000)

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var activity = Activity.idle
        var since: TimeInterval = 0
        var input: TimeInterval?
        var started: TimeInterval = 0
        var pinned = false
        var timeout: TimeSpan? = .seconds(100)
        var lifetime: TimeSpan?
        var clients = 0
        var shell = false
        /// When it is parked, and why; nil: never.
        var parks: TimeInterval?
        var reason = Reason.idle
        var warns: TimeInterval?
        var testDescription: String { name }
    }

    @Test(arguments: [
        Case(name: "from its becoming idle", since: 50, parks: 150, warns: 140),
        Case(name: "from its last input", since: 50, input: 70, parks: 170, warns: 160),
        Case(name: "an older input does not count", since: 50, input: 20, parks: 150, warns: 140),
        Case(name: "from its start", since: 0, started: 30, parks: 130, warns: 120),
        Case(name: "working is not idle", activity: .working),
        Case(name: "pending is not idle", activity: .pending),
        Case(name: "pinned", pinned: true),
        Case(name: "no timeout", timeout: nil),
        Case(name: "clients do not count", clients: 3, parks: 100, warns: 90),
        Case(name: "a background shell does not count", shell: true, parks: 100, warns: 90),
        Case(name: "a warning never takes more than half", timeout: .seconds(4), parks: 4, warns: 2),
        Case(
            name: "a lifetime ends work", activity: .working, lifetime: .seconds(500), parks: 500, reason: .maxLifetime,
            warns: 490),
        Case(
            name: "a lifetime ends pinned ones", started: 10, pinned: true, lifetime: .seconds(500), parks: 510,
            reason: .maxLifetime, warns: 500),
        Case(
            name: "the earlier of both", since: 450, lifetime: .seconds(500), parks: 500, reason: .maxLifetime,
            warns: 490),
        Case(name: "idle before the lifetime", since: 50, lifetime: .seconds(500), parks: 150, warns: 140),
    ])
    func aSessionIsParked(_ one: Case) {
        let status = WorkerStatus(
            activity: one.activity, activitySince: .distantFuture, activitySource: "hook",
            backgroundShell: one.shell, lastInput: .distantPast, lastOutput: nil,
            clients: (0..<one.clients).map {
                AttachedClient(id: $0, dialect: "native", principal: "a", driving: $0 == 0, since: Self.date)
            }, lastSequence: 1, size: .standard, transcriptPath: nil)
        let rule = IdleRule(
            timeout: one.timeout, warning: .seconds(10), maxLifetime: one.lifetime, pinned: one.pinned,
            times: WorkerTimes(
                started: Self.zero + one.started, activitySince: Self.zero + one.since,
                lastInput: one.input.map { Self.zero + $0 }), status: status)
        #expect(rule.deadline?.at == one.parks.map { Self.zero + $0 })
        #expect(rule.deadline?.warnsAt == one.warns.map { Self.zero + $0 })
        if one.parks != nil { #expect(rule.deadline?.reason == one.reason) }
        let report = rule.report(now: Self.zero + 60, date: Self.date.addingTimeInterval(60))
        #expect(report.parksAt == one.parks.map { Self.date.addingTimeInterval($0) })
        #expect(report.signals.first { $0.name == "activity" }?.keepsAwake == (one.activity != .idle))
        #expect(report.signals.first { $0.name == "attached_clients" }?.keepsAwake == false)
    }

    @Test func placesAreGivenUpToTheLimits() {
        var admission = Admission(maxSessions: 3, maxMemory: .gibibytes(4))
        let ids = (0..<5).map { _ in SessionID() }
        #expect(admission.reserve(ids[0], memory: .gibibytes(2)) == nil)
        #expect(admission.reserve(ids[0], memory: .gibibytes(2)) == nil)
        #expect(admission.reserve(ids[1], memory: .gibibytes(1)) == nil)
        #expect(
            admission.reserve(ids[2], memory: .gibibytes(2))
                == .memory(reserved: .gibibytes(3), asked: .gibibytes(2), limit: .gibibytes(4)))
        #expect(!admission.isFull())
        #expect(admission.reserve(ids[2], memory: .mebibytes(512)) == nil)
        #expect(admission.reserve(ids[3], memory: .mebibytes(1)) == .sessions(running: 3, limit: 3))
        #expect(admission.isFull())
        admission.release(ids[0])
        admission.release(ids[0])
        #expect(
            admission.reserve(ids[4], memory: .gibibytes(9)) == .neverFits(asked: .gibibytes(9), limit: .gibibytes(4)))
        #expect(admission.reserve(ids[3], memory: .gibibytes(2)) == nil)
        // What runs when a supervisor starts is counted, even over the limits.
        admission.adopt(ids[0], memory: .gibibytes(2))
        #expect(admission.reserved.count == 4)
    }

    @Test func cgroupFilesOfBothVersionsAreRead() throws {
        let path = "/tmp/rk-cg-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        func write(_ files: [String: String], _ folder: String) throws -> String {
            let directory = "\(path)/\(folder)"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            for (name, text) in files {
                try text.write(toFile: "\(directory)/\(name)", atomically: true, encoding: .utf8)
            }
            return directory
        }
        let unified = try write(
            [
                "memory.current": "1000\n", "memory.peak": "2000\n", "memory.max": "max\n",
                "memory.events": "low 0\noom 1\noom_kill 3\n", "cpu.stat": "usage_usec 1500000\nuser_usec 1\n",
                "pids.current": "7\n", "pids.max": "512\n",
            ], "v2")
        let stats = CgroupReader(directories: ["unified": unified]).stats()
        #expect(stats.memoryBytes == 1000 && stats.memoryPeakBytes == 2000 && stats.memoryLimitBytes == nil)
        #expect(stats.cpuSeconds == 1.5 && stats.pids == 7 && stats.pidsLimit == 512 && stats.oomKills == 3)

        let memory = try write(
            [
                "memory.usage_in_bytes": "10\n", "memory.max_usage_in_bytes": "20\n",
                "memory.limit_in_bytes": "30\n", "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
            ], "memory")
        let cpu = try write(["cpuacct.usage": "2500000000\n"], "cpu")
        let pids = try write(["pids.current": "3\n", "pids.max": "max\n"], "pids")
        let old = CgroupReader(directories: ["memory": memory, "cpu": cpu, "pids": pids]).stats()
        #expect(old.memoryBytes == 10 && old.memoryPeakBytes == 20 && old.memoryLimitBytes == 30)
        #expect(old.cpuSeconds == 2.5 && old.pids == 3 && old.pidsLimit == nil && old.oomKills == 2)

        let nothing = CgroupReader(directories: ["unified": "/nonexistent"]).stats()
        #expect(nothing.memoryBytes == nil && nothing.oomKills == nil)
    }

    @Test func aProcessIsKnownByItsStartTimeToo() throws {
        let own = try #require(
            ProcessIdentity.parse(try String(contentsOfFile: "/proc/self/stat", encoding: .utf8))?.startTime)
        #expect(ProcessIdentity(pid: getpid(), startTime: own).isAlive)
        #expect(!ProcessIdentity(pid: getpid(), startTime: own + 1).isAlive)
        #expect(!ProcessIdentity(pid: Int32.max, startTime: own).isAlive)
        let tail = (4...22).map { "\($0)" }.joined(separator: " ")
        #expect(ProcessIdentity.parse("9 (a) R (b) S \(tail)")?.startTime == 22)
        #expect(ProcessIdentity.parse("9 (a) S 4 5") == nil)
        #expect(ProcessIdentity.parse("") == nil)
    }
}
