import Foundation
import GRDB
public import SessionCore

extension SessionRegistry {
    /// Kinds of refusals kept of a session, the newest.
    public static let mostEgressRefusals = 200

    /// Adds to the accounts, all or none, durably. What is of sessions that there are not is left out.
    public func bookEgress(_ records: [EgressDayRecord]) async throws(RegistryError) {
        try await write { database in
            for record in records {
                try database.execute(
                    sql: """
                        INSERT INTO egress_usage (day, session_id, tenant_id, user_id, sent, received, connections)
                        SELECT ?, id, tenant_id, owner_id, ?, ?, ? FROM sessions WHERE id = ?
                        ON CONFLICT (day, session_id) DO UPDATE SET sent = sent + excluded.sent,
                            received = received + excluded.received, connections = connections + excluded.connections
                        """,
                    arguments: [
                        record.day, record.sent, record.received, record.connections, record.sessionID.description,
                    ])
            }
        }
    }

    /// Bytes of a day, both ways together: the session's, and those of all sessions of the tenant, gone ones too.
    public func egressBooked(
        of id: SessionID, tenant: Int64, day: String
    ) async throws(RegistryError) -> (session: Int64, tenant: Int64) {
        try await read { database in
            let sum = "SELECT coalesce(sum(sent + received), 0) FROM egress_usage WHERE day = ? AND"
            return (
                try Int64.fetchOne(database, sql: "\(sum) session_id = ?", arguments: [day, id.description]) ?? 0,
                try Int64.fetchOne(database, sql: "\(sum) tenant_id = ?", arguments: [day, tenant]) ?? 0
            )
        }
    }

    /// Days of a session, newest first. The caller has seen to it that the reader may see the session.
    public func egressDays(of id: SessionID, limit: Int) async throws(RegistryError) -> [EgressDayRecord] {
        try await read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM egress_usage WHERE session_id = ? ORDER BY day DESC LIMIT ?",
                arguments: [id.description, limit]
            ).map { row in
                EgressDayRecord(
                    sessionID: id, day: row["day"], sent: row["sent"], received: row["received"],
                    connections: row["connections"])
            }
        }
    }

    /// Writes a refusal down beside those of its kind, and forgets the oldest of too many kinds.
    public func recordEgressRefusal(
        _ refusal: EgressRefusalRecord, of id: SessionID
    ) async throws(RegistryError) {
        try await write { database in
            try database.execute(
                sql: """
                    INSERT INTO egress_refusals (session_id, target, reason, detail, count, first_at, last_at)
                    SELECT id, ?, ?, ?, ?, ?, ? FROM sessions WHERE id = ?
                    ON CONFLICT (session_id, target, reason) DO UPDATE SET count = count + excluded.count,
                        detail = excluded.detail, last_at = excluded.last_at
                    """,
                arguments: [
                    refusal.target, refusal.reason, refusal.detail, refusal.count,
                    refusal.firstAt.registryMilliseconds, refusal.lastAt.registryMilliseconds, id.description,
                ])
            try database.execute(
                sql: """
                    DELETE FROM egress_refusals WHERE session_id = ? AND (target, reason) NOT IN (
                        SELECT target, reason FROM egress_refusals WHERE session_id = ? ORDER BY last_at DESC LIMIT ?)
                    """,
                arguments: [id.description, id.description, Self.mostEgressRefusals])
        }
    }

    /// Refusals of a session by kind, newest first. The caller has seen to it that the reader may see the session.
    public func egressRefusals(of id: SessionID) async throws(RegistryError) -> [EgressRefusalRecord] {
        try await read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM egress_refusals WHERE session_id = ? ORDER BY last_at DESC, target",
                arguments: [id.description]
            ).map { row in
                EgressRefusalRecord(
                    target: row["target"], reason: row["reason"], detail: row["detail"], count: row["count"],
                    firstAt: Date(registryMilliseconds: row["first_at"]),
                    lastAt: Date(registryMilliseconds: row["last_at"]))
            }
        }
    }
}
