public import Foundation
import GRDB
import Policy
public import SessionCore

/// A worker that lives, as it says itself.
public struct LiveIncarnation: Sendable {
    public var sessionID: SessionID
    public var incarnation: Int
    public var pid: Int32
    public var startTime: UInt64
    public var lastSequence: UInt64
    public var size: TerminalSize

    public init(
        sessionID: SessionID, incarnation: Int, pid: Int32, startTime: UInt64, lastSequence: UInt64, size: TerminalSize
    ) {
        self.sessionID = sessionID
        self.incarnation = incarnation
        self.pid = pid
        self.startTime = startTime
        self.lastSequence = lastSequence
        self.size = size
    }
}

/// What a live worker tells a registry that was made anew.
public enum WorkerSighting: Sendable, Hashable {
    case known
    /// Its session was started again after all that registry and manifest know.
    case advanced
    /// Nothing else knows its session.
    case stranger
}

extension SessionRegistry {
    /// Takes over what a live worker knows and the registry does not. A deletion is never taken back.
    public func learn(of live: LiveIncarnation, at now: Date = Date()) async throws(RegistryError) -> WorkerSighting {
        try await write { database in
            guard var record = try SessionRow.fetch(live.sessionID, database) else {
                try Self.takeIn(live, at: now, database)
                return .stranger
            }
            guard record.desired != .deleted, record.lifecycle != .deleted, live.incarnation > record.incarnation else {
                return .known
            }
            let from = record.lifecycle
            record.takeOver(live, at: now)
            try SessionRow.update(record, database)
            try Self.note(record, from: from, "its worker was found running", at: now, database)
            return .advanced
        }
    }

    /// A session of which only its worker is known: it goes on, seen by the operator alone.
    private static func takeIn(_ live: LiveIncarnation, at now: Date, _ database: Database) throws {
        let admin = try ensureAdmin(at: now, database)
        let id = live.sessionID
        let slot =
            try Int.fetchOne(
                database, sql: "SELECT slot FROM uid_slots WHERE session_id = ?", arguments: [id.description])
            ?? takeSlot(for: id, database)
        var record = SessionRecord(
            id: id, tenantID: admin.tenantID, tenant: defaultTenant, ownerID: admin.id, owner: admin.name, name: nil,
            kind: .terminal, lifecycle: .running, desired: .running, reason: nil,
            detail: "only its worker was known when the registry was made anew", incarnation: live.incarnation,
            uidSlot: slot, policy: SessionPolicy.defaultName, image: "host", size: live.size, model: nil,
            permissionMode: nil, environment: [:], labels: [:], pinned: false, idleTimeout: nil, maxLifetime: nil,
            createdAt: now, updatedAt: now, startedAt: nil, lastActivityAt: now, lastSequence: 0, workerPID: nil,
            workerStartTime: nil, limits: [], cgroups: [:])
        record.takeOver(live, at: now)
        try SessionRow.insert(record, database)
        try note(record, from: nil, "only its worker was known", at: now, database)
    }

    private static func note(
        _ record: SessionRecord, from: Lifecycle?, _ detail: String, at now: Date, _ database: Database
    ) throws {
        try append(
            TransitionRecord(
                sessionID: record.id, incarnation: record.incarnation, from: from, to: .running, reason: nil,
                detail: detail, actor: "supervisor", seq: nil, time: now), database)
    }

    /// Every session that has a row, deleted ones too.
    public func allSessions() async throws(RegistryError) -> [SessionRecord] {
        try await read { try Row.fetchAll($0, sql: SessionRow.selection).map(SessionRow.record) }
    }
}

extension SessionRecord {
    fileprivate mutating func takeOver(_ live: LiveIncarnation, at now: Date) {
        lifecycle = .running
        desired = .running
        reason = nil
        incarnation = live.incarnation
        workerPID = live.pid
        workerStartTime = live.startTime
        startedAt = now
        updatedAt = now
        lastActivityAt = now
        lastSequence = max(lastSequence, live.lastSequence)
        size = live.size
    }
}
