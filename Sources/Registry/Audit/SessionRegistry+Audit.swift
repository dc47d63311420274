import Crypto
public import Foundation
import GRDB
public import SessionCore

extension SessionRegistry {
    private static let mostRules = 1000

    /// Keeps a decision, once.
    public func audit(_ entry: AuditEntry) async throws(RegistryError) {
        try await write { try Self.keep(entry, in: $0) }
    }

    /// Keeps a decision together with what was decided.
    static func keep(_ entry: AuditEntry, in database: Database) throws {
        let previous =
            try Data.fetchOne(database, sql: "SELECT hash FROM audit ORDER BY id DESC LIMIT 1") ?? Data(count: 32)
        let detail = String(decoding: try JSONEncoder.rookery.encode(entry.detail), as: UTF8.self)
        let at = entry.time.registryMilliseconds
        let session = entry.session?.description
        let seq = entry.seq.map { Int64(clamping: $0) }
        let text = [
            "\(entry.tenantID)", "\(at)", entry.actor, entry.action, session ?? "", seq.map(String.init) ?? "", detail,
        ].map { "\($0.utf8.count):\($0)" }.joined()
        let hash = Data(SHA256.hash(data: previous + Data(text.utf8)))
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO audit (tenant_id, at, actor, action, session_id, seq, detail, hash)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [entry.tenantID, at, entry.actor, entry.action, session, seq, detail, hash])
        guard database.changesCount == 1 else { return }
        for rule in entry.rules {
            try database.execute(
                sql: """
                    INSERT OR IGNORE INTO tenant_rules (tenant_id, rule, actor, created_at)
                    SELECT ?, ?, ?, ? WHERE (SELECT count(*) FROM tenant_rules WHERE tenant_id = ?) < ?
                    """, arguments: [entry.tenantID, rule, entry.actor, at, entry.tenantID, mostRules])
        }
    }

    /// Decisions of the caller's tenant, of all for an operator; the newest first.
    /// - Parameter before: only those with a smaller id.
    public func audit(
        visibleTo principal: Principal, before: Int64?, limit: Int
    ) async throws(RegistryError) -> [AuditRecord] {
        guard principal.role >= .admin else { return [] }
        return try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM audit WHERE (? OR tenant_id = ?) AND id < ? ORDER BY id DESC LIMIT ?
                    """,
                arguments: [principal.role == .operator, principal.tenantID, before ?? Int64.max, limit]
            ).map { row in
                AuditRecord(
                    id: row["id"], time: Date(timeIntervalSince1970: Double(row["at"] as Int64) / 1000),
                    actor: row["actor"], action: row["action"], sessionID: row["session_id"],
                    detail: JSONValue(parsing: row["detail"]) ?? .null, hash: row["hash"])
            }
        }
    }

    /// What admins of the tenant allowed to all its sessions, as rules of Claude Code's settings.
    public func rules(ofTenant tenant: Int64) async throws(RegistryError) -> [String] {
        try await read { database in
            try String.fetchAll(
                database, sql: "SELECT rule FROM tenant_rules WHERE tenant_id = ? ORDER BY rule", arguments: [tenant])
        }
    }
}
