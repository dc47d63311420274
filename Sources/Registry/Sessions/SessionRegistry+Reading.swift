import Foundation
import GRDB
public import SessionCore

/// Which sessions a list shows, newest first.
public struct SessionQuery: Sendable, Hashable {
    public var lifecycle: Lifecycle?
    public var labelKey: String?
    public var labelValue: String?
    /// Only these, when given: what a caller knows that the registry does not (an activity).
    public var ids: Set<SessionID>?
    /// 1…200.
    public var limit: Int
    public var cursor: String?

    public init(
        lifecycle: Lifecycle? = nil, labelKey: String? = nil, labelValue: String? = nil, ids: Set<SessionID>? = nil,
        limit: Int = 50, cursor: String? = nil
    ) {
        self.lifecycle = lifecycle
        self.labelKey = labelKey
        self.labelValue = labelValue
        self.ids = ids
        self.limit = limit
        self.cursor = cursor
    }
}

extension SessionRegistry {
    /// A session that the caller may see; nil for one that is unknown, deleted or somebody else's.
    public func session(
        _ id: SessionID, visibleTo principal: Principal
    ) async throws(RegistryError) -> SessionRecord? {
        let predicate = SessionAccess.read.predicate(for: principal)
        return try await read { database in
            try Row.fetchOne(
                database,
                sql: """
                    \(SessionRow.selection)
                    WHERE sessions.id = ? AND sessions.lifecycle <> 'deleted' AND \(predicate.sql)
                    """,
                arguments: [id.description] + predicate.arguments
            ).map(SessionRow.record)
        }
    }

    /// A session by its id alone, deleted ones too: for the supervisor's own decisions, never on a caller's behalf.
    public func session(_ id: SessionID) async throws(RegistryError) -> SessionRecord? {
        try await read { try SessionRow.fetch(id, $0) }
    }

    /// One page of the sessions the caller may see, newest first.
    /// - Throws: ``RegistryError/invalid(_:)`` for a bad cursor or limit.
    public func sessions(
        _ query: SessionQuery, visibleTo principal: Principal
    ) async throws(RegistryError) -> (items: [SessionRecord], nextCursor: String?) {
        guard (1...200).contains(query.limit) else { throw .invalid("limit must be 1 to 200") }
        let predicate = SessionAccess.read.predicate(for: principal)
        var conditions = ["sessions.lifecycle <> 'deleted'", predicate.sql]
        var arguments = predicate.arguments
        if let lifecycle = query.lifecycle {
            conditions.append("sessions.lifecycle = ?")
            arguments += [lifecycle.rawValue]
        }
        if let key = query.labelKey {
            conditions.append("EXISTS (SELECT 1 FROM json_each(sessions.labels) WHERE key = ? AND value = ?)")
            arguments += [key, query.labelValue ?? ""]
        }
        if let ids = query.ids {
            let list = "[\(ids.map { "\"\($0)\"" }.joined(separator: ","))]"
            conditions.append("sessions.id IN (SELECT value FROM json_each(?))")
            arguments += [list]
        }
        if let cursor = query.cursor {
            let cursor = try PageCursor(parsing: cursor)
            conditions.append("(sessions.created_at, sessions.id) < (?, ?)")
            arguments += [cursor.createdAt, cursor.id.description]
        }
        let sql = """
            \(SessionRow.selection) WHERE \(conditions.joined(separator: " AND "))
            ORDER BY sessions.created_at DESC, sessions.id DESC LIMIT \(query.limit + 1)
            """
        let values = arguments
        let found = try await read { try Row.fetchAll($0, sql: sql, arguments: values).map(SessionRow.record) }
        guard found.count > query.limit, let last = found.dropLast().last else { return (found, nil) }
        let cursor = PageCursor(createdAt: last.createdAt.registryMilliseconds, id: last.id)
        return (found.dropLast(), cursor.text)
    }

    /// The sessions in any of the states, for the supervisor's start.
    public func sessions(in lifecycles: Set<Lifecycle>) async throws(RegistryError) -> [SessionRecord] {
        let list = "[\(lifecycles.map { "\"\($0.rawValue)\"" }.joined(separator: ","))]"
        return try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    \(SessionRow.selection) WHERE sessions.lifecycle IN (SELECT value FROM json_each(?))
                    ORDER BY sessions.created_at, sessions.id
                    """,
                arguments: [list]
            ).map(SessionRow.record)
        }
    }

    /// The sessions that a supervisor that starts has to look at: those that may have an incarnation, and those that
    /// should have one.
    public func sessionsToRecover() async throws(RegistryError) -> [SessionRecord] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    \(SessionRow.selection)
                    WHERE sessions.lifecycle IN ('queued', 'starting', 'running', 'parking', 'stopping')
                    OR (sessions.lifecycle = 'parked' AND sessions.desired = 'running')
                    ORDER BY sessions.created_at, sessions.id
                    """
            ).map(SessionRow.record)
        }
    }

    /// Of sessions that have left something on disk: those that are deleted with all that was theirs, and those that the
    /// registry does not know.
    public func unowned(
        among ids: Set<SessionID>
    ) async throws(RegistryError) -> (deleted: [SessionID], unknown: [SessionID]) {
        guard !ids.isEmpty else { return ([], []) }
        return try await read { database in
            let rows = try Row.fetchAll(
                database,
                sql: "SELECT id, lifecycle, keeps_workspace FROM sessions WHERE id IN (SELECT value FROM json_each(?))",
                arguments: ["[\(ids.map { "\"\($0)\"" }.joined(separator: ","))]"])
            var deleted: [SessionID] = []
            var known = Set(
                try String.fetchAll(database, sql: "SELECT session_id FROM spares").compactMap {
                    SessionID(parsing: $0)
                })
            for row in rows {
                guard let id = SessionID(parsing: row["id"] as String) else { continue }
                known.insert(id)
                if row["lifecycle"] == "deleted", row["keeps_workspace"] == false { deleted.append(id) }
            }
            return (deleted, ids.subtracting(known).sorted { $0.description < $1.description })
        }
    }

    /// Sessions whose deletion was begun and not finished.
    public func sessionsToDelete() async throws(RegistryError) -> [SessionRecord] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    \(SessionRow.selection) WHERE sessions.desired = 'deleted' AND sessions.lifecycle <> 'deleted'
                    ORDER BY sessions.created_at
                    """
            ).map(SessionRow.record)
        }
    }

    /// What happened to a session's lifecycle, oldest first: the last `limit`.
    public func transitions(
        of id: SessionID, limit: Int = 500
    ) async throws(RegistryError) -> [TransitionRecord] {
        try await read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM transitions WHERE session_id = ? ORDER BY id DESC LIMIT ?",
                arguments: [id.description, limit]
            ).reversed().map { try Self.transition($0, of: id) }
        }
    }

    /// The most transitions of one answer.
    public static let mostTransitions = 1000

    /// Those that took a number above `since` and through `last`, in the order of their numbers: the first
    /// ``mostTransitions``.
    public func transitions(
        of id: SessionID, above since: UInt64, through last: UInt64
    ) async throws(RegistryError) -> [TransitionRecord] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM transitions WHERE session_id = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                arguments: [id.description, Int64(clamping: since), Int64(clamping: last), Self.mostTransitions]
            ).map { try Self.transition($0, of: id) }
        }
    }

    private static func transition(_ row: Row, of id: SessionID) throws -> TransitionRecord {
        guard let to = Lifecycle(rawValue: row["to_state"]) else {
            throw RegistryError.corrupt("a transition of session \(id) goes to '\(row["to_state"] as String)'")
        }
        return TransitionRecord(
            sessionID: id, incarnation: row["incarnation"],
            from: (row["from_state"] as String?).flatMap(Lifecycle.init(rawValue:)), to: to,
            reason: (row["reason"] as String?).flatMap(Reason.init(rawValue:)), detail: row["detail"],
            actor: row["actor"], seq: (row["seq"] as Int64?).map { UInt64(clamping: $0) },
            time: Date(registryMilliseconds: row["at"]))
    }
}
