public import Foundation
import GRDB
import SessionCore

extension SessionRegistry {
    /// The most that a tenant may have, its users' among them.
    public static let mostToolSecrets = 500

    /// By name. - Parameter tenantID: nil: of all tenants.
    public func toolSecrets(tenantID: Int64?) async throws(RegistryError) -> [ToolSecretRow] {
        try await read {
            try Self.toolSecretRows($0, "(? IS NULL OR tool_secrets.tenant_id = ?)", [tenantID, tenantID])
        }
    }

    /// Exactly that owner's: what the whole tenant has is not its users'.
    public func toolSecret(
        named name: String, of owner: CredentialOwner
    ) async throws(RegistryError) -> ToolSecretRow? {
        try await read { try Self.toolSecret($0, name, owner) }
    }

    /// Puts a secret in the place of its owner's of that name.
    public func setToolSecret(
        _ sealed: Data, named name: String, hosts: [String], owner: CredentialOwner, by actor: String,
        at now: Date = Date()
    ) async throws(RegistryError) -> ToolSecretRow {
        let list: String
        do { list = String(decoding: try JSONEncoder().encode(hosts), as: UTF8.self) } catch {
            throw .invalid("the hosts of '\(name)' cannot be stored")
        }
        return try await writeAccounts { database in
            try database.execute(
                sql: """
                    INSERT INTO tool_secrets (tenant_id, user_id, name, hosts, sealed, version, updated_at, updated_by)
                    VALUES (?, ?, ?, ?, ?, 1, ?, ?)
                    ON CONFLICT (tenant_id, name, coalesce(user_id, 0)) DO UPDATE SET hosts = excluded.hosts,
                        sealed = excluded.sealed, version = version + 1, updated_at = excluded.updated_at,
                        updated_by = excluded.updated_by
                    """,
                arguments: [owner.tenantID, owner.userID, name, list, sealed, now.registryMilliseconds, actor])
            let count = try Int.fetchOne(
                database, sql: "SELECT count(*) FROM tool_secrets WHERE tenant_id = ?", arguments: [owner.tenantID])
            guard count ?? 0 <= Self.mostToolSecrets else {
                throw RegistryError.invalid(
                    "the tenant has \(Self.mostToolSecrets) secrets already: remove what is not used")
            }
            guard let row = try Self.toolSecret(database, name, owner) else {
                throw RegistryError.corrupt("a secret that was just stored is not there")
            }
            try Self.keep(row.audit("secret.set", by: actor, at: now), in: database)
            return row
        }
    }

    /// - Returns: what was removed; nil when the tenant (nil: any) has none of that id.
    public func removeToolSecret(
        _ id: Int64, tenantID: Int64?, by actor: String, at now: Date = Date()
    ) async throws(RegistryError) -> ToolSecretRow? {
        try await writeAccounts { database in
            let found = try Self.toolSecretRows(
                database, "tool_secrets.id = ? AND (? IS NULL OR tool_secrets.tenant_id = ?)",
                [id, tenantID, tenantID])
            guard let row = found.first else { return nil }
            try database.execute(sql: "DELETE FROM tool_secrets WHERE id = ?", arguments: [id])
            try Self.keep(row.audit("secret.remove", by: actor, at: now), in: database)
            return row
        }
    }

    private static func toolSecret(
        _ database: Database, _ name: String, _ owner: CredentialOwner
    ) throws -> ToolSecretRow? {
        try toolSecretRows(
            database,
            "tool_secrets.name = ? AND tool_secrets.tenant_id = ? AND coalesce(tool_secrets.user_id, 0) = ?",
            [name, owner.tenantID, owner.userID ?? 0]
        ).first
    }

    private static func toolSecretRows(
        _ database: Database, _ condition: String, _ arguments: StatementArguments
    ) throws -> [ToolSecretRow] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT tool_secrets.*, tenants.name AS tenant, users.name AS user FROM tool_secrets
                JOIN tenants ON tenants.id = tool_secrets.tenant_id LEFT JOIN users ON users.id = tool_secrets.user_id
                WHERE \(condition) ORDER BY tenants.name, tool_secrets.name, users.name
                """,
            arguments: arguments
        ).map { row in
            ToolSecretRow(
                id: row["id"], tenantID: row["tenant_id"], tenant: row["tenant"], userID: row["user_id"],
                user: row["user"], name: row["name"],
                hosts: try JSONDecoder().decode([String].self, from: Data((row["hosts"] as String).utf8)),
                sealed: row["sealed"], version: row["version"],
                updatedAt: Date(registryMilliseconds: row["updated_at"]), updatedBy: row["updated_by"])
        }
    }
}

extension ToolSecretRow {
    /// Never the value, sealed or not.
    fileprivate func audit(_ action: String, by actor: String, at now: Date) -> AuditEntry {
        AuditEntry(
            tenantID: tenantID, time: now, actor: actor, action: action,
            detail: [
                "id": .integer(id), "tenant": .string(tenant), "user": user.map { .string($0) } ?? .null,
                "name": .string(name), "hosts": .array(hosts.map { .string($0) }),
                "version": .integer(Int64(version)),
            ])
    }
}
