public import Foundation
import GRDB
public import SessionCore

extension SessionRegistry {
    /// Writes down that a spare is about to be made, with a uid slot of its own.
    /// - Returns: the slot. The session that takes the spare has the same.
    public func holdSpare(_ id: SessionID, tenantID: Int64, at now: Date) async throws(RegistryError) -> Int {
        try await write { database in
            let slot = try Self.takeSlot(for: id, database)
            try database.execute(
                sql: "INSERT INTO spares (session_id, tenant_id, created_at) VALUES (?, ?, ?)",
                arguments: [id.description, tenantID, now.registryMilliseconds])
            return slot
        }
    }

    /// Spares that were made, or were about to be, and that no session took.
    public func spares() async throws(RegistryError) -> [SessionID] {
        try await read { database in
            try String.fetchAll(
                database,
                sql: "SELECT session_id FROM spares WHERE session_id NOT IN (SELECT id FROM sessions)"
            ).compactMap { SessionID(parsing: $0) }
        }
    }

    /// A spare is gone, and nothing on disk belongs to its uids any more.
    public func forgetSpare(_ id: SessionID) async throws(RegistryError) {
        try await write { database in
            try database.execute(sql: "DELETE FROM spares WHERE session_id = ?", arguments: [id.description])
            guard database.changesCount > 0 else { return }
            try database.execute(
                sql: "DELETE FROM uid_slots WHERE session_id = ? AND session_id NOT IN (SELECT id FROM sessions)",
                arguments: [id.description])
        }
    }

    /// No longer takes this registry's word for what is a spare: it is older than what is on disk, and a session may have
    /// taken any of them since. Their data is then data that nobody is known to own.
    public func doubtSpares() async throws(RegistryError) {
        try await write { database in try database.execute(sql: "DELETE FROM spares") }
    }

    /// Takes a spare out, for the session of the same id.
    /// - Returns: its uid slot.
    static func takeSpare(_ id: SessionID, tenantID: Int64, _ database: Database) throws -> Int {
        try database.execute(
            sql: "DELETE FROM spares WHERE session_id = ? AND tenant_id = ?", arguments: [id.description, tenantID])
        guard database.changesCount == 1,
            let slot = try Int.fetchOne(
                database, sql: "SELECT slot FROM uid_slots WHERE session_id = ?", arguments: [id.description])
        else { throw RegistryError.exists("there is no spare \(id) of that tenant") }
        return slot
    }
}
