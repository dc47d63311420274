public import Foundation
import GRDB
public import SessionCore

extension SessionRegistry {
    /// Whose a session is, deleted ones too; nil where there is none.
    public func owner(of id: SessionID) async throws(RegistryError) -> CredentialOwner? {
        try await read { database in
            try Row.fetchOne(
                database, sql: "SELECT tenant_id, owner_id FROM sessions WHERE id = ?", arguments: [id.description]
            ).map { CredentialOwner(tenantID: $0["tenant_id"], userID: $0["owner_id"]) }
        }
    }

    /// Every credential, for the supervisor alone.
    public func credentials() async throws(RegistryError) -> [CredentialRow] {
        try await read { try Self.credentialRows($0, "1", []) }
    }

    /// Puts a credential in the place of its owner's.
    public func setCredential(
        _ sealed: Data, kind: String, owner: CredentialOwner, expiresAt: Date?, by name: String, at now: Date = Date()
    ) async throws(RegistryError) -> CredentialRow {
        try await writeAccounts { database in
            try database.execute(
                sql: """
                    INSERT INTO credentials (tenant_id, user_id, kind, sealed, version, expires_at, updated_at, updated_by)
                    VALUES (?, ?, ?, ?, 1, ?, ?, ?)
                    ON CONFLICT (tenant_id, coalesce(user_id, 0)) DO UPDATE SET kind = excluded.kind,
                        sealed = excluded.sealed, version = version + 1, expires_at = excluded.expires_at, fault = NULL,
                        updated_at = excluded.updated_at, updated_by = excluded.updated_by
                    """,
                arguments: [
                    owner.tenantID, owner.userID, kind, sealed, expiresAt?.registryMilliseconds,
                    now.registryMilliseconds, name,
                ])
            guard
                let row = try Self.credentialRows(
                    database, "credentials.tenant_id = ? AND coalesce(credentials.user_id, 0) = ?",
                    [owner.tenantID, owner.userID ?? 0]
                ).first
            else { throw RegistryError.corrupt("a credential that was just stored is not there") }
            try Self.keep(row.audit("credential.set", by: name, at: now), in: database)
            return row
        }
    }

    /// What a refresh gave, in place of the version that it was given for.
    /// - Returns: nil when another version is there by now.
    public func renewCredential(
        _ id: Int64, version: Int, sealed: Data, expiresAt: Date?, at now: Date = Date()
    ) async throws(RegistryError) -> CredentialRow? {
        try await writeAccounts { database in
            try database.execute(
                sql: """
                    UPDATE credentials SET sealed = ?, version = version + 1, expires_at = ?, fault = NULL, updated_at = ?
                    WHERE id = ? AND version = ?
                    """,
                arguments: [sealed, expiresAt?.registryMilliseconds, now.registryMilliseconds, id, version])
            guard database.changesCount == 1 else { return nil }
            return try Self.credentialRows(database, "credentials.id = ?", [id]).first
        }
    }

    /// Notes that a credential does not work.
    public func faultCredential(_ id: Int64, version: Int, _ fault: String) async throws(RegistryError) {
        try await write { database in
            try database.execute(
                sql: "UPDATE credentials SET fault = ? WHERE id = ? AND version = ?", arguments: [fault, id, version])
        }
    }

    /// - Returns: false when the tenant (nil: any) has none of that id.
    public func removeCredential(
        _ id: Int64, tenantID: Int64?, by name: String, at now: Date = Date()
    ) async throws(RegistryError) -> Bool {
        try await writeAccounts { database in
            let found = try Self.credentialRows(
                database, "credentials.id = ? AND (? IS NULL OR credentials.tenant_id = ?)", [id, tenantID, tenantID])
            guard let row = found.first else { return false }
            try database.execute(sql: "DELETE FROM credentials WHERE id = ?", arguments: [id])
            try Self.keep(row.audit("credential.remove", by: name, at: now), in: database)
            return true
        }
    }

    private static func credentialRows(
        _ database: Database, _ condition: String, _ arguments: StatementArguments
    ) throws -> [CredentialRow] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT credentials.*, tenants.name AS tenant, users.name AS user FROM credentials
                JOIN tenants ON tenants.id = credentials.tenant_id LEFT JOIN users ON users.id = credentials.user_id
                WHERE \(condition) ORDER BY tenants.name, users.name
                """,
            arguments: arguments
        ).map { row in
            CredentialRow(
                id: row["id"], tenantID: row["tenant_id"], tenant: row["tenant"], userID: row["user_id"],
                user: row["user"], kind: row["kind"], sealed: row["sealed"], version: row["version"],
                expiresAt: (row["expires_at"] as Int64?).map { Date(registryMilliseconds: $0) }, fault: row["fault"],
                updatedAt: Date(registryMilliseconds: row["updated_at"]), updatedBy: row["updated_by"])
        }
    }
}

extension CredentialRow {
    /// Never the secret, sealed or not.
    fileprivate func audit(_ action: String, by name: String, at now: Date) -> AuditEntry {
        AuditEntry(
            tenantID: tenantID, time: now, actor: name, action: action,
            detail: [
                "id": .integer(id), "tenant": .string(tenant), "user": user.map { .string($0) } ?? .null,
                "kind": .string(kind), "version": .integer(Int64(version)),
            ])
    }
}
