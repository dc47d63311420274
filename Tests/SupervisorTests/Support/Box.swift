import Foundation
import Glibc
import Logging
import NIOCore
import NIOPosix
import Policy
import Registry
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

/// A supervisor with a real registry in a directory of its own, a scripted launcher and scripted workers.
final class Box: Sendable {
    let path: String
    let launcher: ScriptedLauncher
    let supervisor: SessionSupervisor
    let registry: SessionRegistry
    let alice: Principal
    let clock: TestClock

    static let group = MultiThreadedEventLoopGroup.singleton

    private init(path: String, launcher: ScriptedLauncher, settings: Settings) async throws {
        self.path = path
        self.launcher = launcher
        clock = settings.clock
        let (registry, recovery) = try SessionRegistry.recovering(
            directory: "\(path)/state", manifests: try ManifestStore(stateDirectory: "\(path)/state"))
        self.registry = registry
        alice = try await registry.person("alice")
        var configuration = SupervisorConfiguration(
            stateDirectory: "\(path)/state", runtimeDirectory: path, startCommand: "/bin/true", claudeBinary: nil,
            policies: PolicyStore([settings.policy]), maxSessions: settings.maxSessions,
            maxMemory: settings.maxMemory, gatewaySocket: "\(path)/gateway.sock")
        // Short where a test waits for them to pass, and long enough for a machine on which everything runs at once.
        configuration.launchLimit = .seconds(5)
        configuration.cleanLimit = .seconds(5)
        configuration.replyLimit = .seconds(5)
        configuration.statusLimit = .seconds(2)
        configuration.tick = settings.tick
        configuration.stopSlack = .milliseconds(300)
        configuration.quickEnd = settings.quickEnd
        configuration.greetingLimit = .seconds(2)
        configuration.reconcileInterval = settings.reconcileInterval
        configuration.restartDelays = settings.restartDelays
        configuration.spareDelay = settings.spareDelay
        let memory = settings.hostMemory
        configuration.hostMemory = { memory.withLock { $0 } }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        supervisor = try SessionSupervisor(
            configuration: configuration, registry: registry,
            launcher: LauncherClient(descriptor: launcher.clientDescriptor), group: Self.group, logger: logger,
            clock: SupervisorClock(
                now: { settings.clock.now }, monotonic: { settings.clock.monotonic },
                sleep: { try await Task.sleep(for: $0) }),
            recovery: recovery,
            process: SupervisorProcess(version: "test", workerProgram: "/proc/self/exe"))
    }

    struct Settings: Sendable {
        var maxSessions = 8
        var maxMemory = ByteSize.gibibytes(64)
        var policy = SessionPolicy(
            name: "default", idle: IdleRules(timeout: nil, warning: .seconds(60), grace: TimeSpan(milliseconds: 100)))
        /// Far away: tests call `tick()` themselves.
        var tick: Duration = .seconds(3600)
        /// Sessions of tests live for milliseconds.
        var quickEnd: TimeInterval = 0
        /// Far away: tests call `reconcile()` themselves. The first one comes with the start.
        var reconcileInterval: Duration = .seconds(3600)
        var restartDelays: [Duration] = [.zero, .milliseconds(20), .milliseconds(50)]
        var clock = TestClock()
        /// Far away: tests call `tendSpares()` themselves.
        var spareDelay: Duration = .seconds(3600)
        /// What the host is said to have.
        var hostMemory = Shared(HostMemory.Standing.ample)
        /// Everything on a disk of this size; as root only.
        var diskBytes: Int?
        /// Everything on a disk that can be made to answer EIO; called once that is there.
        var onFailingDisk: (@Sendable (FailingDisk) -> Void)?
    }

    /// Makes a box, starts its supervisor, and removes everything afterwards.
    static func with(_ settings: Settings = Settings(), _ body: (Box) async throws -> Void) async throws {
        let path = "/tmp/rk-sup-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { clear(path) }
        if let bytes = settings.diskBytes {
            guard mount("tmpfs", path, "tmpfs", 0, "size=\(bytes)") == 0 else { throw POSIXError(.EPERM) }
        }
        defer { if settings.diskBytes != nil { umount2(path, Int32(MNT_DETACH)) } }
        let disk = try settings.onFailingDisk.map { _ in try FailingDisk(at: path) }
        defer { disk?.remove() }
        if let disk { settings.onFailingDisk?(disk) }
        let launcher = try ScriptedLauncher(runtime: path, group: group)
        let box = try await Box(path: path, launcher: launcher, settings: settings)
        try await box.supervisor.start()
        do { try await body(box) } catch {
            await box.close()
            throw error
        }
        await box.close()
    }

    /// Ends the supervisor without a word, and gives what a next one on the same state finds. Workers live on.
    static func restarting(
        settings: Settings = Settings(), nextSettings: Settings? = nil, _ before: (Box) async throws -> Void,
        between: () async throws -> Void = {}, prepare: (ScriptedLauncher) -> Void = { _ in },
        after: (Box) async throws -> Void
    ) async throws {
        let path = "/tmp/rk-sup-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { clear(path) }
        let first = try ScriptedLauncher(runtime: path, group: group)
        defer { for worker in first.state.withLock({ Array($0.workers.values) }) { worker.close() } }
        do {
            let box = try await Box(path: path, launcher: first, settings: settings)
            try await box.supervisor.start()
            try await before(box)
            await box.supervisor.shutdown(stopSessions: false)
        }
        try await between()
        let launcher = try ScriptedLauncher(runtime: path, group: group)
        // The lock goes with the last reference to the first registry.
        let box = try await eventually("the registry to be free") {
            try? await Box(path: path, launcher: launcher, settings: nextSettings ?? settings)
        }
        prepare(launcher)
        // The launcher is another, the sessions are the same.
        let workers = first.state.withLock { $0.workers }
        launcher.state.withLock { $0.workers = workers }
        try await box.supervisor.start()
        try await after(box)
        await box.close()
    }

    /// What is just ending may still write there.
    private static func clear(_ path: String) {
        for _ in 1...50 where FileManager.default.fileExists(atPath: path) {
            try? FileManager.default.removeItem(atPath: path)
            usleep(10_000)
        }
    }

    private func close() async {
        await supervisor.shutdown(stopSessions: false)
        launcher.die()
        for worker in launcher.state.withLock({ Array($0.workers.values) }) { worker.close() }
    }

    // MARK: - Shorthands

    @discardableResult
    func create(_ creation: SessionCreation = SessionCreation(), by principal: Principal? = nil) async throws
        -> SessionID
    {
        try await supervisor.create(creation, idempotencyKey: nil, by: principal ?? alice).record.id
    }

    func record(_ id: SessionID) async throws -> SessionRecord {
        try await supervisor.session(id, as: alice).record
    }

    func worker(_ id: SessionID) throws -> ScriptedWorker { try #require(launcher.worker(id)) }

    @discardableResult
    func waitFor(_ id: SessionID, _ lifecycle: Lifecycle) async throws -> SessionRecord {
        try await eventually("\(lifecycle)") {
            let record = try await self.record(id)
            return record.lifecycle == lifecycle ? record : nil
        }
    }

    /// One look of the reaper at everything, to its end.
    func tick() async { for task in await supervisor.tick() { await task.value } }

    func someone(_ name: String, in tenant: String = "default", role: Role = .user) async throws -> Principal {
        try await registry.person(name, in: tenant, role: role)
    }
}

extension SessionRegistry {
    func person(_ user: String, in tenant: String = "default", role: Role = .user) async throws -> Principal {
        let home = if let found = try await self.tenant(named: tenant) { found } else { try await createTenant(tenant) }
        let record =
            if let found = try await self.user(named: user, tenantID: home.id) { found } else {
                try await createUser(user, tenantID: home.id)
            }
        return Principal(tenantID: home.id, userID: record.id, name: user, role: role, tokenID: nil)
    }
}

/// A value that a test changes under what it tests.
final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }
    func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        value.withLock { value in
            var copy = value
            let result = body(&copy)
            value = copy
            return result
        }
    }
}

/// A clock that a test moves.
final class TestClock: Sendable {
    private let passed = Mutex(TimeInterval(0))
    private let wrong = Mutex(TimeInterval(0))
    var now: Date { Date().addingTimeInterval(passed.withLock { $0 } + wrong.withLock { $0 }) }
    var monotonic: MonotonicTime { .now + passed.withLock { $0 } }
    /// Time passes.
    func advance(_ seconds: TimeInterval) { passed.withLock { $0 += seconds } }
    /// Somebody sets the clock on the wall.
    func jump(_ seconds: TimeInterval) { wrong.withLock { $0 += seconds } }
}

struct NotInTime: Error, CustomStringConvertible {
    let what: String
    var description: String { "waited in vain for \(what)" }
}

/// Polls until `body` gives a value; the machine may be loaded, so it waits long.
@discardableResult
func eventually<Value>(_ what: String, _ body: () async throws -> Value?) async throws -> Value {
    let deadline = Date().addingTimeInterval(20)
    while Date() < deadline {
        if let value = try await body() { return value }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw NotInTime(what: what)
}

/// The error's code, or an issue when nothing was thrown.
func refusal(_ body: () async throws -> Void) async -> SupervisorError? {
    do {
        try await body()
        Issue.record("nothing was thrown")
        return nil
    } catch {
        return error as? SupervisorError
    }
}

extension SessionSupervisor {
    /// What a test may know of a session's entry.
    func knowsEnd(of id: SessionID) -> Bool { entries[id]?.end != nil }
    func numbers(of id: SessionID) -> [UInt64] { entries[id]?.feed.events.map(\.seq) ?? [] }
    var entryCount: Int { entries.count }
}
