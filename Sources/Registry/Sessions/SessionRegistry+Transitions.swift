public import Foundation
import GRDB
public import Policy
public import SessionCore

/// A change of a session's lifecycle, applied only when the session is still as the caller believes it to be.
public struct SessionTransition: Sendable {
    /// Holds only in one of these states…
    public var from: Set<Lifecycle>
    /// …and in this incarnation.
    public var incarnation: Int
    public var to: Lifecycle
    /// nil leaves it.
    public var desired: DesiredState?
    /// Replaces what was there, nil too.
    public var reason: Reason?
    public var detail: String?
    /// Who causes it: a user's name, or `supervisor`.
    public var actor: String
    /// The highest number the session is known to have used; what is stored never falls.
    public var lastSequence: UInt64?
    /// Give the event the next number. False when a worker numbers it.
    public var takesNumber: Bool
    public var time: Date
    public var changes: SessionChanges

    public init(
        from: Set<Lifecycle>, incarnation: Int, to: Lifecycle, desired: DesiredState? = nil, reason: Reason? = nil,
        detail: String? = nil, actor: String, lastSequence: UInt64? = nil, takesNumber: Bool = true,
        time: Date = Date(), changes: SessionChanges = SessionChanges()
    ) {
        self.from = from
        self.incarnation = incarnation
        self.to = to
        self.desired = desired
        self.reason = reason
        self.detail = detail
        self.actor = actor
        self.lastSequence = lastSequence
        self.takesNumber = takesNumber
        self.time = time
        self.changes = changes
    }
}

/// What else a transition or an update writes. nil leaves a column as it is.
public struct SessionChanges: Sendable {
    public var incarnation: Int?
    /// `.some(nil)` forgets the worker.
    public var worker: (pid: Int32, startTime: UInt64)??
    public var limits: [EnforcedLimit]?
    public var cgroups: [String: String]?
    public var startedAt: Date?
    public var lastActivityAt: Date?
    public var name: String?
    public var labels: [String: String]?
    public var pinned: Bool?
    public var idleTimeout: TimeSpan?
    public var maxLifetime: TimeSpan?
    public var size: TerminalSize?
    public var keepsWorkspace: Bool?
    public var kind: SessionKind?

    public init() {}

    func apply(to record: inout SessionRecord) {
        if let incarnation { record.incarnation = incarnation }
        if let worker {
            record.workerPID = worker?.pid
            record.workerStartTime = worker?.startTime
        }
        if let limits { record.limits = limits }
        if let cgroups { record.cgroups = cgroups }
        if let startedAt { record.startedAt = startedAt }
        if let lastActivityAt { record.lastActivityAt = max(record.lastActivityAt, lastActivityAt) }
        if let name { record.name = name.isEmpty ? nil : name }
        if let labels { record.labels = labels }
        if let pinned { record.pinned = pinned }
        if let idleTimeout { record.idleTimeout = idleTimeout }
        if let maxLifetime { record.maxLifetime = maxLifetime }
        if let size { record.size = size }
        if let keepsWorkspace { record.keepsWorkspace = keepsWorkspace }
        if let kind { record.kind = kind }
    }
}

extension SessionRegistry {
    /// Moves a session from one state to another in one transaction: compare-and-set on (lifecycle, incarnation),
    /// and one row of its history.
    ///
    /// - Returns: the session afterwards; nil when it is not, or no longer, in the expected state and incarnation.
    public func transition(
        _ id: SessionID, _ transition: SessionTransition
    ) async throws(RegistryError) -> SessionRecord? {
        try await write { database in
            guard var record = try SessionRow.fetch(id, database), transition.from.contains(record.lifecycle),
                record.incarnation == transition.incarnation
            else { return nil }
            let from = record.lifecycle
            record.lifecycle = transition.to
            if let desired = transition.desired { record.desired = desired }
            record.reason = transition.reason
            record.detail = transition.detail
            record.updatedAt = transition.time
            record.lastSequence = max(record.lastSequence, transition.lastSequence ?? 0)
            if transition.takesNumber { record.lastSequence += 1 }
            transition.changes.apply(to: &record)
            try SessionRow.update(record, database)
            try Self.append(
                TransitionRecord(
                    sessionID: id, incarnation: record.incarnation, from: from, to: transition.to,
                    reason: transition.reason, detail: transition.detail, actor: transition.actor,
                    seq: transition.takesNumber ? record.lastSequence : nil, time: transition.time), database)
            return try SessionRow.fetch(id, database)
        }
    }

    /// Changes what is not lifecycle, without a transition.
    /// - Returns: the session afterwards; nil when it does not exist or is deleted.
    public func update(
        _ id: SessionID, _ changes: SessionChanges, lastSequence: UInt64? = nil, at now: Date = Date()
    ) async throws(RegistryError) -> SessionRecord? {
        try await write { database in
            guard var record = try SessionRow.fetch(id, database), record.lifecycle != .deleted else { return nil }
            changes.apply(to: &record)
            record.lastSequence = max(record.lastSequence, lastSequence ?? 0)
            record.updatedAt = now
            try SessionRow.update(record, database)
            return try SessionRow.fetch(id, database)
        }
    }

    /// Changes what a session should be, and nothing of what it is: compare-and-set on the incarnation that the caller
    /// decided about. A deletion that was asked for stays asked for.
    /// - Returns: the session afterwards; nil when it does not exist, is deleted, or is in another incarnation by now.
    public func intend(
        _ desired: DesiredState, for id: SessionID, in incarnation: Int, _ changes: SessionChanges = SessionChanges(),
        at now: Date = Date()
    ) async throws(RegistryError) -> SessionRecord? {
        try await write { database in
            guard var record = try SessionRow.fetch(id, database), record.lifecycle != .deleted,
                record.incarnation == incarnation, record.desired != .deleted || desired == .deleted
            else { return nil }
            changes.apply(to: &record)
            record.desired = desired
            record.updatedAt = now
            try SessionRow.update(record, database)
            return try SessionRow.fetch(id, database)
        }
    }

    static func append(_ transition: TransitionRecord, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO transitions (session_id, incarnation, from_state, to_state, reason, detail, actor, seq, at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                transition.sessionID.description, transition.incarnation, transition.from?.rawValue,
                transition.to.rawValue, transition.reason?.rawValue, transition.detail, transition.actor,
                transition.seq.map { Int64(clamping: $0) }, transition.time.registryMilliseconds,
            ])
    }
}
