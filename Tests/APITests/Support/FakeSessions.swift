import Foundation
import Images
import Policy
import Registry
import SessionCore
import Supervisor
import WorkerControl

@testable import API

/// A control plane that answers at will: sessions are rows of a dictionary, and every worker is the same socket.
actor FakeSessions: SessionService {
    private(set) var records: [SessionID: SessionRecord] = [:]
    private(set) var calls: [String] = []
    private var failure: SupervisorError?
    private var socket = "/nonexistent"
    private var history: [SessionEvent] = []
    private var readers: [AsyncStream<SessionEvent>.Continuation] = []
    private(set) var lastCreation: SessionCreation?
    private(set) var lastSince: UInt64?
    /// Where a journal is, for every session.
    private var journal: String?

    /// Where the journals of sessions elsewhere are.
    private let journals = "/tmp/ra-journals-\(UUID().uuidString)"
    private(set) var answers: [SessionEvent] = []

    deinit { try? FileManager.default.removeItem(atPath: journals) }

    func sessionsElsewhere() async throws(SupervisorError) -> Set<SessionID> {
        Set(records.values.filter { $0.kind == .remote }.map(\.id))
    }

    func add(elsewhere id: SessionID, for principal: Principal) async throws(SupervisorError) -> SessionRecord {
        try note("add")
        guard records[id] == nil else { throw SupervisorError(.exists, "the session \(id) exists") }
        var record = Self.record(id, .parked)
        (record.kind, record.desired, record.owner) = (.remote, .parked, principal.name)
        records[id] = record
        return record
    }

    func note(elsewhere id: SessionID, _ change: ElsewhereChange) async throws(SupervisorError) -> SessionRecord {
        var record = try find(id)
        if let to = change.to { record.lifecycle = to }
        if let name = change.changes.name { record.name = name }
        if let incarnation = change.changes.incarnation { record.incarnation = incarnation }
        records[id] = record
        return record
    }

    func journal(elsewhere id: SessionID) async -> String { "\(journals)/\(id)" }
    func audit(_ event: SessionEvent, of record: SessionRecord) async { answers.append(event) }

    func setJournal(_ path: String) { journal = path }

    func past(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> SessionPast {
        try note("past")
        let record = try find(id)
        let journal = record.kind == .remote ? "\(journals)/\(id)" : journal
        do throws(JournalError) {
            return SessionPast(
                record: record, journal: try journal.map { path throws(JournalError) in try JournalSource(path: path) })
        } catch { throw SupervisorError(.unavailable, "\(error)") }
    }

    private var answered: Set<String> = []
    private var asked: [SessionPermission] = []
    func ask(_ permission: SessionPermission) { asked.append(permission) }

    /// Input is taken only once it is released.
    private var inputIsHeld = false
    func holdInput() { inputIsHeld = true }
    func releaseInput() { inputIsHeld = false }

    func setSocket(_ path: String) { socket = path }
    func fail(with error: SupervisorError?) { failure = error }

    func add(_ id: SessionID = SessionID(), _ lifecycle: Lifecycle = .running) -> SessionID {
        records[id] = Self.record(id, lifecycle)
        return id
    }

    func emit(_ event: SessionEvent) {
        history.append(event)
        for reader in readers { reader.yield(event) }
    }

    func endEvents() {
        for reader in readers { reader.finish() }
        readers = []
    }

    private func note(_ call: String) throws(SupervisorError) {
        calls.append(call)
        if let failure { throw failure }
    }

    private func find(_ id: SessionID) throws(SupervisorError) -> SessionRecord {
        guard let record = records[id] else { throw SupervisorError(.notFound, "the session \(id) does not exist") }
        return record
    }

    private func set(_ id: SessionID, _ lifecycle: Lifecycle) throws(SupervisorError) -> SessionView {
        var record = try find(id)
        record.lifecycle = lifecycle
        records[id] = record
        return SessionView(record: record, worker: nil, unresponsive: false, parksAt: nil)
    }

    func create(
        _ creation: SessionCreation, idempotencyKey: String?, by principal: Principal
    ) async throws(SupervisorError) -> SessionView {
        try note("create \(idempotencyKey ?? "-")")
        lastCreation = creation
        let id = creation.id ?? SessionID()
        guard records[id] == nil else { throw SupervisorError(.exists, "the session \(id) exists") }
        var record = Self.record(id, .running)
        record.name = creation.name
        record.labels = creation.labels ?? [:]
        records[id] = record
        return SessionView(record: record, worker: nil, unresponsive: false, parksAt: nil)
    }

    func fork(
        _ id: SessionID, _ creation: SessionCreation, idempotencyKey: String?, by principal: Principal
    ) async throws(SupervisorError) -> SessionView {
        try note("fork \(idempotencyKey ?? "-")")
        lastCreation = creation
        var record = Self.record(creation.id ?? SessionID(), .running)
        record.name = creation.name
        record.forkedFrom = try find(id).id
        records[record.id] = record
        return SessionView(record: record, worker: nil, unresponsive: false, parksAt: nil)
    }

    func list(_ filter: SessionFilter, as principal: Principal) async throws(SupervisorError) -> SessionPage {
        try note("list \(filter.limit)")
        let items = records.values.filter { record in
            (filter.lifecycle == nil || record.lifecycle == filter.lifecycle)
                && (filter.label.map { record.labels[$0.key] == $0.value } ?? true)
        }
        return SessionPage(
            items: items.map { SessionView(record: $0, worker: nil, unresponsive: false, parksAt: nil) },
            nextCursor: nil)
    }

    func session(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> SessionView {
        try note("session")
        return SessionView(record: try find(id), worker: nil, unresponsive: false, parksAt: nil)
    }

    func update(
        _ id: SessionID, _ patch: SessionPatch, by principal: Principal
    ) async throws(SupervisorError) -> SessionView {
        try note("update")
        var record = try find(id)
        if let name = patch.name { record.name = name }
        records[id] = record
        return SessionView(record: record, worker: nil, unresponsive: false, parksAt: nil)
    }

    func delete(_ id: SessionID, keepWorkspace: Bool, by principal: Principal) async throws(SupervisorError) {
        try note("delete \(keepWorkspace)")
        _ = try find(id)
        records[id] = nil
    }

    func stop(_ id: SessionID, by principal: Principal) async throws(SupervisorError) -> SessionView {
        try note("stop")
        return try set(id, .stopped)
    }

    func park(_ id: SessionID, by principal: Principal) async throws(SupervisorError) -> SessionView {
        try note("park")
        return try set(id, .parked)
    }

    func resume(_ id: SessionID, by principal: Principal) async throws(SupervisorError) -> SessionView {
        try note("resume")
        return try set(id, .running)
    }

    func input(
        _ id: SessionID, text: String, clientID: String?, submit: Bool, by principal: Principal
    ) async throws(SupervisorError) -> UInt64 {
        while inputIsHeld { try? await Task.sleep(for: .milliseconds(5)) }
        try note("input \(text) \(clientID ?? "-") \(submit)")
        _ = try find(id)
        return 42
    }

    func interrupt(_ id: SessionID, by principal: Principal) async throws(SupervisorError) {
        try note("interrupt")
        _ = try find(id)
    }

    func screen(
        _ id: SessionID, format: ScreenFormat, as principal: Principal
    ) async throws(SupervisorError) -> ScreenContent {
        try note("screen \(format)")
        _ = try find(id)
        return ScreenContent(
            size: .standard, cursor: TerminalPosition(row: 1, col: 2), seq: 7, title: nil, format: format,
            content: "one\ntwo")
    }

    func events(
        _ id: SessionID, since: UInt64?, as principal: Principal
    ) async throws(SupervisorError) -> AsyncStream<SessionEvent> {
        try note("events")
        _ = try find(id)
        lastSince = since
        let (stream, continuation) = AsyncStream<SessionEvent>.makeStream()
        if let since { for event in history where event.seq > since { continuation.yield(event) } }
        readers.append(continuation)
        return stream
    }

    func history(
        _ id: SessionID, before: UInt64?, limit: Int, as principal: Principal
    ) async throws(SupervisorError) -> SessionHistory {
        try note("history")
        _ = try find(id)
        let older = history.filter { $0.seq < before ?? .max }
        let events = older.suffix(limit)
        return SessionHistory(events: Array(events), before: older.count > limit ? events.first?.seq : nil)
    }

    func events(as principal: Principal) async -> AsyncStream<SessionEvent> {
        let (stream, continuation) = AsyncStream<SessionEvent>.makeStream()
        readers.append(continuation)
        return stream
    }

    func idle(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> IdleReport {
        try note("idle")
        return IdleReport(
            idleTimeout: .minutes(20),
            signals: [.init(name: "input", value: "none", ageSeconds: 3, source: "worker", keepsAwake: false)],
            rule: "idle", warnsAt: nil, parksAt: nil)
    }

    func stats(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> SessionStats {
        try note("stats")
        return SessionStats(memoryBytes: 10, oomKills: 0)
    }

    func egress(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> EgressView {
        try note("egress")
        let refusal = EgressRefusalRecord(
            target: "evil.example:443", reason: "policy", detail: "no", count: 3, firstAt: .distantPast,
            lastAt: .distantPast)
        return EgressView(
            policy: "default", rules: EgressPolicy(mode: .list, allow: [EgressTarget(host: "pypi.org")]), days: [],
            refusals: [refusal])
    }

    func command(
        _ id: SessionID, _ command: SessionCommand, by principal: Principal
    ) async throws(SupervisorError) -> CommandOutcome {
        switch command {
        case .prompt(let text, let images, let clientID, let channel):
            while inputIsHeld { try? await Task.sleep(for: .milliseconds(5)) }
            let said = channel.map { " \($0.chat) \($0.user ?? "-") \($0.time ?? "-")" } ?? ""
            try note("prompt \(text) \(clientID ?? "-") \(images.count)\(said)")
        case .answer(let answer):
            let remember = answer.remember.map { " \($0)" } ?? ""
            try note("answer \(answer.id) \(answer.decision) \(answer.message ?? "-")\(remember)")
            guard answered.insert(answer.id).inserted else {
                return .failed(
                    CommandFailure(
                        "already_answered", "it was allowed by ann before", data: ["by": "ann", "decision": "allowed"]))
            }
        case .setPermissionMode("bypassPermissions"):
            return .failed(CommandFailure("not_allowed", "the policy allows only default, plan"))
        default: try note("command \(command.json["type"]?.string ?? "")")
        }
        _ = try find(id)
        return .done(["permissions": [], "mcpServers": [["name": "s", "status": "connected"]]])
    }

    func audit(
        as principal: Principal, before: Int64?, limit: Int
    ) async throws(SupervisorError) -> [AuditRecord] {
        try note("audit")
        return []
    }

    func switchKind(
        _ id: SessionID, to kind: SessionKind, by principal: Principal
    ) async throws(SupervisorError) -> SessionView {
        try note("switch \(kind.rawValue)")
        return try await session(id, as: principal)
    }

    func permissions(as principal: Principal) async throws(SupervisorError) -> [SessionPermission] {
        try note("permissions")
        return asked.filter { permission in !answered.contains { permission.data["id"]?.string == $0 } }
    }

    func dialect(
        _ id: SessionID, name: String, message: JSONValue, by principal: Principal
    ) async throws(SupervisorError) -> JSONValue {
        try note("dialect \(name) \(message["type"]?.string ?? "")")
        return [
            "type": "session_state", "session_id": .string(id.description),
            "current_state": ["state": "PreUseTool", "request": [], "is_pending": true],
        ]
    }

    func clientSocket(_ id: SessionID, wake: Bool, by principal: Principal) async throws(SupervisorError) -> String {
        try note("clientSocket \(wake)")
        let record = try find(id)
        switch record.lifecycle {
        case .running: break
        case .parked where wake: _ = try set(id, .running)
        default: throw SupervisorError(.wrongState, "the session is \(record.lifecycle)")
        }
        return socket
    }

    func upload(
        _ id: SessionID, name: String, content: Data, by principal: Principal
    ) async throws(SupervisorError) -> String {
        try note("upload \(name) \(content.count)")
        _ = try find(id)
        return "/home/agent/uploads/x/\(name)"
    }

    func credentialChanged(_ name: CredentialName, reason: String) async {
        calls.append("credentialChanged \(name)")
    }

    func images(as principal: Principal) async -> [ImageView] {
        let tools = ImageManifest(
            name: "tools", digest: ImageDigest(of: "tools"), size: 5, builtAt: Date(timeIntervalSince1970: 1_000_000),
            packages: [ImagePackage(name: "bash", version: "5")])
        return [ImageView(name: "host", manifest: nil), ImageView(name: "tools", manifest: tools)]
    }

    func policies() async -> PolicyStore {
        PolicyStore([Self.policy])
    }

    /// A policy with what not everybody may see.
    static let policy = SessionPolicy(
        name: "team",
        sandbox: SandboxRules(mounts: [PolicyMount(source: "/srv/secret", target: "/data")]),
        environment: ["EDITOR": "vi"])

    func upgrade(
        workers renewal: WorkerRenewal, replacesSupervisor: Bool, by principal: Principal
    ) async throws(SupervisorError) {
        try note("upgrade \(renewal.rawValue) \(replacesSupervisor)")
    }

    func upgradeReport() async -> UpgradeReport {
        UpgradeReport(
            instance: UUID(), version: "1", pid: 1, startedAt: Date(timeIntervalSince1970: 0), replaceable: true,
            last: nil, workers: .idle, sessions: [])
    }

    func spareReport() async -> SpareReport {
        SpareReport(
            pools: [
                SpareReport.Pool(
                    tenant: "local", policy: "default", wanted: 2, ready: 1, oldestSeconds: 12.5, fault: nil,
                    retrySeconds: nil)
            ], made: 4, claimed: 2, missed: 1, dropped: ["aged": 1])
    }

    func adoptionReport() async -> AdoptionReport? {
        AdoptionReport(startedAt: Date(timeIntervalSince1970: 0), seconds: 0.5, afterReboot: false, sessions: [])
    }

    func readiness() async -> Readiness { Readiness(ready: failure == nil, checks: ["registry": "ok"]) }

    private static func record(_ id: SessionID, _ lifecycle: Lifecycle) -> SessionRecord {
        let now = Date(timeIntervalSince1970: 1_790_000_000)
        return SessionRecord(
            id: id, tenantID: 1, tenant: "default", ownerID: 1, owner: "ann", name: nil, kind: .terminal,
            lifecycle: lifecycle, desired: .running, reason: nil, detail: nil, incarnation: 1, uidSlot: 0,
            policy: "standard", image: "host", size: .standard, model: nil, permissionMode: nil, environment: [:],
            labels: ["team_name": "x"], pinned: false, idleTimeout: nil, maxLifetime: nil, createdAt: now,
            updatedAt: now, startedAt: now, lastActivityAt: now, lastSequence: 0, workerPID: nil,
            workerStartTime: nil, limits: [], cgroups: [:])
    }
}
