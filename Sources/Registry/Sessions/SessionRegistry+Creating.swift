import Crypto
public import Foundation
import GRDB
public import SessionCore

/// What comes of a request to make a session.
public enum SessionInsertion: Sendable {
    /// It is new; the record has its uid slot and its first two event numbers.
    case inserted(SessionRecord)
    /// The same caller made it before with the same idempotency key.
    case repeated(SessionID)
}

/// A caller's idempotency key with the request it stands for.
public struct IdempotencyKey: Sendable, Hashable {
    /// 1…255 bytes, the caller's choice.
    public var key: String
    /// The request, in a form that is equal for equal requests.
    public var body: Data

    public init(key: String, body: Data) {
        self.key = key
        self.body = body
    }
}

extension SessionRegistry {
    /// How long an idempotency key is remembered.
    public static let idempotencyLifetime: TimeInterval = 24 * 3600
    /// The slots of uid ranges that the launcher takes: with 65,536 uids each from 0x10000000, they stay below 2³¹.
    public static let uidSlots = 0..<0x6000

    /// Makes a session durable in one transaction: its row, a uid slot, the transitions to `queued` and `starting`
    /// (events 1 and 2), and the idempotency key.
    ///
    /// - Parameter takesSpare: the session begins with the spare of its id, which is its tenant's.
    /// - Throws: ``RegistryError/exists(_:)`` when the id was ever used, ``RegistryError/keyReused``,
    ///   ``RegistryError/exhausted(_:)``, ``RegistryError/storage(_:)``.
    public func insert(
        _ record: SessionRecord, idempotency: IdempotencyKey?, actor: String, takesSpare: Bool = false
    ) async throws(RegistryError) -> SessionInsertion {
        if let idempotency, !(1...255).contains(idempotency.key.utf8.count) {
            throw .invalid("an idempotency key has 1 to 255 bytes")
        }
        return try await write { database in
            let now = record.createdAt.registryMilliseconds
            if let idempotency {
                let oldest = now - Int64(Self.idempotencyLifetime * 1000)
                try database.execute(sql: "DELETE FROM idempotency_keys WHERE created_at < ?", arguments: [oldest])
                let earlier = try Self.session(of: idempotency, ownerID: record.ownerID, since: oldest, database)
                if let earlier { return .repeated(earlier) }
            }
            let id = record.id.description
            var record = record
            if takesSpare {
                record.uidSlot = try Self.takeSpare(record.id, tenantID: record.tenantID, database)
            } else {
                try Self.checkUnused(record.id, database)
                record.uidSlot = try Self.takeSlot(for: record.id, database)
            }
            record.lifecycle = .starting
            record.lastSequence = 2
            try SessionRow.insert(record, database)
            for (from, to, seq) in [(nil, .queued, 1), (.queued, .starting, 2)] as [(Lifecycle?, Lifecycle, UInt64)] {
                try Self.append(
                    TransitionRecord(
                        sessionID: record.id, incarnation: record.incarnation, from: from, to: to, reason: nil,
                        detail: nil, actor: actor, seq: seq, time: record.createdAt), database)
            }
            if let idempotency {
                try database.execute(
                    sql: """
                        INSERT INTO idempotency_keys (user_id, key, body_hash, session_id, created_at)
                        VALUES (?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        record.ownerID, idempotency.key, Data(SHA256.hash(data: idempotency.body)), id, now,
                    ])
            }
            guard let stored = try SessionRow.fetch(record.id, database) else {
                throw RegistryError.corrupt("session \(id) is not there after its insertion")
            }
            return .inserted(stored)
        }
    }

    static func checkUnused(_ id: SessionID, _ database: Database) throws {
        let used = "SELECT 1 FROM sessions WHERE id = ? UNION SELECT 1 FROM uid_slots WHERE session_id = ?"
        let id = id.description
        guard try Bool.fetchOne(database, sql: used, arguments: [id, id]) == nil else {
            throw RegistryError.exists("the session id \(id) is in use or was used: choose another")
        }
    }

    /// The session that a user made with an idempotency key in the last day; nil when there is none.
    /// - Throws: ``RegistryError/keyReused`` when it was another request.
    public func session(
        of key: IdempotencyKey, ownerID: Int64, at now: Date = Date()
    ) async throws(RegistryError) -> SessionID? {
        let oldest = now.registryMilliseconds - Int64(Self.idempotencyLifetime * 1000)
        return try await read { try Self.session(of: key, ownerID: ownerID, since: oldest, $0) }
    }

    private static func session(
        of key: IdempotencyKey, ownerID: Int64, since oldest: Int64, _ database: Database
    ) throws -> SessionID? {
        let sql = """
            SELECT body_hash, session_id FROM idempotency_keys WHERE user_id = ? AND key = ? AND created_at >= ?
            """
        guard let row = try Row.fetchOne(database, sql: sql, arguments: [ownerID, key.key, oldest]) else { return nil }
        guard row["body_hash"] == Data(SHA256.hash(data: key.body)) else { throw RegistryError.keyReused }
        guard let id = SessionID(parsing: row["session_id"] as String) else {
            throw RegistryError.corrupt("an idempotency key names '\(row["session_id"] as String)'")
        }
        return id
    }

    /// Takes back a session whose creation failed: its row, its transitions, its idempotency key and its uid slot.
    /// To be called when its directories are gone.
    public func forget(_ id: SessionID) async throws(RegistryError) {
        try await write { database in
            try database.execute(sql: "DELETE FROM sessions WHERE id = ?", arguments: [id.description])
            try database.execute(sql: "DELETE FROM uid_slots WHERE session_id = ?", arguments: [id.description])
        }
    }

    /// Drops the rows of sessions that were deleted before a time and left nothing on disk.
    public func prune(before time: Date) async throws(RegistryError) {
        try await write { database in
            try database.execute(
                sql: """
                    DELETE FROM sessions WHERE lifecycle = 'deleted' AND updated_at < ?
                    AND id NOT IN (SELECT session_id FROM uid_slots)
                    """,
                arguments: [time.registryMilliseconds])
        }
    }

    /// Frees a session's uid slot. To be called when nothing on disk belongs to its uids any more.
    public func releaseSlot(of id: SessionID) async throws(RegistryError) {
        try await write { database in
            try database.execute(sql: "DELETE FROM uid_slots WHERE session_id = ?", arguments: [id.description])
        }
    }

    /// Frees the uid slots of sessions that are deleted, or that the registry does not know, and that left nothing on
    /// disk.
    /// - Parameter held: sessions that have a directory.
    /// - Returns: how many.
    public func releaseUnownedSlots(except held: Set<SessionID>) async throws(RegistryError) -> Int {
        try await write { database in
            try database.execute(
                sql: """
                    DELETE FROM uid_slots
                    WHERE session_id NOT IN (SELECT id FROM sessions WHERE lifecycle <> 'deleted')
                    AND session_id NOT IN (SELECT session_id FROM spares)
                    AND session_id NOT IN (SELECT value FROM json_each(?))
                    """,
                arguments: ["[\(held.map { "\"\($0)\"" }.joined(separator: ","))]"])
            return database.changesCount
        }
    }

    /// The lowest slot that nobody holds.
    static func takeSlot(for id: SessionID, _ database: Database) throws -> Int {
        let slot =
            try Int.fetchOne(
                database,
                sql: """
                    SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM uid_slots WHERE slot = 0) THEN 0 ELSE (
                        SELECT MIN(held.slot) + 1 FROM uid_slots AS held
                        WHERE NOT EXISTS (SELECT 1 FROM uid_slots AS next WHERE next.slot = held.slot + 1)
                    ) END
                    """) ?? 0
        guard uidSlots.contains(slot) else {
            throw RegistryError.exhausted("all \(uidSlots.count) uid ranges are held by sessions: delete some")
        }
        try database.execute(
            sql: "INSERT INTO uid_slots (slot, session_id) VALUES (?, ?)", arguments: [slot, id.description])
        return slot
    }
}
