import Foundation
public import Logging
public import NIOCore
import Policy
public import Registry
import SessionCore
import WorkerControl

/// The control plane: decides what runs, knows what does, and answers the API. Every call takes the caller; what
/// the caller may not see does not exist (`SupervisorError.Code.notFound`).
///
/// An operation that changes a session's state runs to its end even when its caller goes away, alone on its session
/// (``OperationLock``), and every step is fenced by the incarnation it acts on.
public actor SessionSupervisor {
    var configuration: SupervisorConfiguration
    let registry: SessionRegistry
    let launcher: any SessionLauncher
    let group: any EventLoopGroup
    let logger: Logger
    let clock: SupervisorClock
    let manifests: ManifestStore
    /// What it knows of its own process.
    let process: SupervisorProcess
    /// Whose worker is which process.
    public nonisolated let workers = WorkerRoster()
    /// Another one for each process.
    let instance = UUID()
    let renewals: RenewalIntent

    var entries: [SessionID: SessionEntry] = [:]
    var admission: Admission
    /// Sessions that never came up and could not be removed yet.
    var abandoned: Set<SessionID> = []
    /// Held while a request with an idempotency key is looked up and stored.
    let keyed = OperationLock()
    var watchers: [Watcher] = []
    var reaper: Task<Void, Never>?
    var reconciler: Task<Void, Never>?
    var isReconciling = false
    var isRenewing = false
    // Spares
    var pool = SparePool()
    /// Those that are being made, dropped or given to a session: neither in the pool nor lost.
    var sparesInFlux: Set<SessionID> = []
    var spareInMaking: Task<Void, Never>?
    var isTendingSpares = false
    /// Sessions to be started again, and those that are being.
    var restarts: [SessionID: PendingRestart] = [:]
    var restarting: Set<SessionID> = []
    var nextRestart = 0
    /// What became of the sessions that this supervisor found.
    var adoption: AdoptionReport?
    var phase = Phase.created

    /// What had to be done to the registry before this start; nil: nothing.
    var recovery: RecoveryReport?
    /// What the last backup found wrong with the registry.
    var registryFault: String?

    enum Phase { case created, running, stopping }

    /// A reader of every session's events.
    struct Watcher {
        var principal: Principal
        weak var mailbox: EventMailbox?
    }

    /// Call ``start()`` before anything else.
    public init(
        configuration: SupervisorConfiguration, registry: SessionRegistry, launcher: any SessionLauncher,
        group: any EventLoopGroup, logger: Logger, clock: SupervisorClock = .system, recovery: RecoveryReport? = nil,
        process: SupervisorProcess = SupervisorProcess()
    ) throws(SupervisorError) {
        self.configuration = configuration
        self.registry = registry
        self.launcher = launcher
        self.group = group
        self.logger = logger
        self.clock = clock
        self.recovery = recovery
        self.process = process
        renewals = RenewalIntent(stateDirectory: configuration.stateDirectory)
        do throws(RegistryError) {
            self.manifests = try ManifestStore(stateDirectory: configuration.stateDirectory)
        } catch { throw SupervisorError(error) }
        self.admission = Admission(maxSessions: configuration.maxSessions, maxMemory: configuration.maxMemory)
    }

    /// What the supervisor does of its own accord is written under this name.
    static let ownName = "supervisor"

    // MARK: - One session at a time

    /// The session as the caller may see it.
    func visible(_ id: SessionID, to principal: Principal) async throws(SupervisorError) -> SessionRecord {
        guard phase != .created else { throw SupervisorError(.unavailable, "the supervisor is starting") }
        let record = try await stored { () async throws(RegistryError) in
            try await registry.session(id, visibleTo: principal)
        }
        guard let record else { throw SupervisorError(.notFound, "there is no session \(id)") }
        return record
    }

    /// Runs one operation that changes the session, alone and to its end.
    func change<Value: Sendable>(
        _ id: SessionID, by principal: Principal,
        _ body: @escaping @Sendable (isolated SessionSupervisor, SessionEntry) async throws(SupervisorError) -> Value
    ) async throws(SupervisorError) -> Value {
        guard phase != .stopping else { throw SupervisorError(.unavailable, "the supervisor is stopping") }
        let record = try await visible(id, to: principal)
        guard principal.mayChange(record) else {
            throw SupervisorError(
                .forbidden, "the role '\(principal.role.rawValue)' may look at session \(id), not change it")
        }
        return try await exclusively(id) { (supervisor, entry) async throws(SupervisorError) -> Value in
            // What was true before the lock may not be any more.
            entry.record = try await supervisor.visible(id, to: principal)
            try await supervisor.settle(entry)
            return try await body(supervisor, entry)
        }
    }

    /// Runs `body` while no other operation on the session runs. Not cancelled with the caller: half an operation
    /// would leave a session between two states.
    func exclusively<Value: Sendable>(
        _ id: SessionID,
        _ body: @escaping @Sendable (isolated SessionSupervisor, SessionEntry) async throws(SupervisorError) -> Value
    ) async throws(SupervisorError) -> Value {
        let operation = Task { () async -> Result<Value, SupervisorError> in
            do throws(SupervisorError) {
                let entry = try await self.entry(id)
                await entry.lock.acquire()
                defer { entry.lock.release() }
                return .success(try await body(self, entry))
            } catch {
                return .failure(error)
            }
        }
        return try await operation.value.get()
    }

    /// The session's place in memory, made from the registry when there is none.
    func entry(_ id: SessionID) async throws(SupervisorError) -> SessionEntry {
        if let entry = entries[id] { return entry }
        let (record, transitions) = try await stored { () async throws(RegistryError) in
            (try await registry.session(id), try await registry.transitions(of: id))
        }
        // Another call may have made it meanwhile.
        if let entry = entries[id] { return entry }
        guard let record, record.lifecycle != .deleted else {
            throw SupervisorError(.notFound, "there is no session \(id)")
        }
        return entry(record, transitions)
    }

    /// The same with what the registry says of it.
    func entry(_ record: SessionRecord, _ transitions: [TransitionRecord]) -> SessionEntry {
        if let entry = entries[record.id] { return entry }
        let entry = SessionEntry(record, feed: SessionFeed(transitions), workers: workers)
        entry.restarts = RestartCount(transitions, steadyAfter: configuration.steadyAfter)
        entries[record.id] = entry
        return entry
    }

    // MARK: - What every change of state comes with

    /// Commits a transition, and tells of it. nil when the session is no longer as expected.
    @discardableResult
    func commit(
        _ entry: SessionEntry, _ transition: SessionTransition
    ) async throws(SupervisorError) -> SessionRecord? {
        let record = try await stored { () async throws(RegistryError) in
            try await registry.transition(entry.id, transition)
        }
        guard let record else { return nil }
        let from = entry.record.lifecycle
        entry.record = record
        if transition.takesNumber {
            let told = TransitionRecord(
                sessionID: entry.id, incarnation: record.incarnation, from: from, to: record.lifecycle,
                reason: record.reason, detail: record.detail, actor: transition.actor, seq: record.lastSequence,
                time: transition.time)
            if let event = SessionEvent(told, seq: record.lastSequence) { publish(event, of: entry) }
        }
        writeManifest(record)
        logger.info(
            "session \(record.lifecycle.rawValue)",
            metadata: [
                "session": "\(entry.id)", "incarnation": "\(record.incarnation)",
                "reason": "\(record.reason?.rawValue ?? "-")", "by": "\(transition.actor)",
            ])
        return record
    }

    /// Has the worker put an event of ours into the session's log; it comes back with its number.
    func tell(_ entry: SessionEntry, _ type: EventType, _ data: [String: JSONValue]) async {
        guard let connection = entry.connection else { return }
        do {
            _ = try await connection.send(
                .record(type: type, data: .object(data)), within: configuration.replyLimit)
        } catch {
            logger.warning(
                "an event did not reach the worker",
                metadata: ["session": "\(entry.id)", "event": "\(type.rawValue)", "error": "\(error)"])
        }
    }

    func publish(_ event: SessionEvent, of entry: SessionEntry) {
        guard entry.feed.append(event) else { return }
        watchers.removeAll { $0.mailbox == nil }
        for watcher in watchers where watcher.principal.maySee(entry.record) { watcher.mailbox?.post(event) }
    }

    /// Soon, and in the order of the calls: the registry has it already.
    func writeManifest(_ record: SessionRecord) {
        manifests.post(record) { [logger] error in
            logger.warning(
                "a session's manifest is not written yet", metadata: ["session": "\(record.id)", "error": "\(error)"])
        }
    }

    func policy(of record: SessionRecord) -> SessionPolicy {
        configuration.policies.policy(named: record.policy) ?? configuration.policies.standard
    }
}
