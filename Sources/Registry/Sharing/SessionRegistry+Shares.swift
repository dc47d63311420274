public import Foundation
import GRDB
public import SessionCore

extension SessionRegistry {
    /// Links of one session that work at once.
    public static let mostShares = 100

    /// Makes a share link for a session that the caller may change. The text is shown this once; only its hash is stored.
    ///
    /// - Returns: nil when the caller may not change a session of that id.
    /// - Throws: ``RegistryError/invalid(_:)`` for a bad label, or when there are ``mostShares`` already.
    public func createShare(
        of session: SessionID, role: ShareRole, label: String?, expiresAt: Date, by principal: Principal,
        at now: Date = Date()
    ) async throws(RegistryError) -> (token: String, record: ShareRecord)? {
        if let label { try Self.checkName(label, of: "a share link's name") }
        let token = BearerToken(.share)
        let (condition, arguments) = SessionAccess.change.predicate(for: principal)
        let record = try await writeAccounts { database -> ShareRecord? in
            let sql = """
                SELECT sessions.tenant_id FROM sessions
                WHERE sessions.id = ? AND sessions.lifecycle <> 'deleted' AND \(condition)
                """
            guard
                let tenantID = try Int64.fetchOne(database, sql: sql, arguments: [session.description] + arguments)
            else { return nil }
            let open = try Int.fetchOne(
                database,
                sql: "SELECT count(*) FROM shares WHERE session_id = ? AND revoked_at IS NULL AND expires_at > ?",
                arguments: [session.description, now.registryMilliseconds])
            guard (open ?? 0) < Self.mostShares else {
                throw RegistryError.invalid("the session has \(Self.mostShares) share links: revoke some first")
            }
            try database.execute(
                sql: """
                    INSERT INTO shares
                        (public_id, secret_hash, session_id, role, label, created_by, created_at, expires_at, token_id)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    token.publicID, token.secretHash, session.description, role.rawValue, label, principal.name,
                    now.registryMilliseconds, expiresAt.registryMilliseconds, principal.tokenID,
                ])
            try Self.keep(
                AuditEntry(
                    tenantID: tenantID, time: now, actor: principal.name, action: "share.create", session: session,
                    detail: [
                        "id": .string(token.publicID), "role": .string(role.rawValue),
                        "name": label.map { .string($0) } ?? .null,
                        "expires_at": .string(expiresAt.formatted(.rookery)),
                    ]), in: database)
            return ShareRecord(
                publicID: token.publicID, sessionID: session, role: role, label: label, createdBy: principal.name,
                createdAt: now, expiresAt: expiresAt)
        }
        return record.map { (token.text, $0) }
    }

    /// Whom a presented link stands for; nil for one that is malformed, unknown, wrong, expired or revoked, or whose
    /// session is gone.
    public func principal(ofShare text: String, at now: Date = Date()) async throws(RegistryError) -> Principal? {
        guard let token = BearerToken(parsing: text, as: .share) else { return nil }
        let found = try await read { database in
            try Self.shareRow(token.publicID, database).map { row in
                let used = (row["last_used_at"] as Int64?).map(Date.init(registryMilliseconds:))
                return (row["secret_hash"] as Data, used, try Self.principal(of: row, at: now))
            }
        }
        // An unknown id costs the same comparison as a wrong secret.
        let matches = token.matches(found?.0 ?? Data(count: 32))
        guard matches, let (_, used, principal) = found, let principal else { return nil }
        if now.timeIntervalSince(used ?? .distantPast) >= Self.lastUseResolution {
            // A full disk must not lock everybody out.
            try? await write { database in
                try database.execute(
                    sql: "UPDATE shares SET last_used_at = ? WHERE public_id = ?",
                    arguments: [now.registryMilliseconds, token.publicID])
            }
        }
        return principal
    }

    /// The same by the link's public id, for what was opened with the whole link and must end with it.
    public func principal(ofShareID publicID: String, at now: Date = Date()) async throws(RegistryError) -> Principal? {
        try await read { database in
            try Self.shareRow(publicID, database).flatMap { try Self.principal(of: $0, at: now) }
        }
    }

    /// The links of a session that work, the newest first; nil when the caller may not change a session of that id.
    public func shares(
        of session: SessionID, visibleTo principal: Principal, at now: Date = Date()
    ) async throws(RegistryError) -> [ShareRecord]? {
        let (condition, arguments) = SessionAccess.change.predicate(for: principal)
        return try await read { database in
            let sql = "SELECT 1 FROM sessions WHERE sessions.id = ? AND \(condition)"
            guard try Bool.fetchOne(database, sql: sql, arguments: [session.description] + arguments) != nil else {
                return nil
            }
            return try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM shares WHERE session_id = ? AND revoked_at IS NULL AND expires_at > ?
                    ORDER BY created_at DESC, public_id
                    """, arguments: [session.description, now.registryMilliseconds]
            ).map { try Self.shareRecord($0) }
        }
    }

    /// Revokes a link at once. Idempotent; false when the caller may not change the session, or it has no such link.
    public func revokeShare(
        _ publicID: String, of session: SessionID, by principal: Principal, at now: Date = Date()
    ) async throws(RegistryError) -> Bool {
        let (condition, arguments) = SessionAccess.change.predicate(for: principal)
        let log = revocations
        return try await writeAccounts { database in
            let sql = """
                SELECT sessions.tenant_id, shares.revoked_at FROM shares
                JOIN sessions ON sessions.id = shares.session_id
                WHERE shares.public_id = ? AND sessions.id = ? AND \(condition)
                """
            guard
                let row = try Row.fetchOne(
                    database, sql: sql, arguments: [publicID, session.description] + arguments)
            else { return false }
            guard (row["revoked_at"] as Int64?) == nil else { return true }
            try Self.revoke(
                share: publicID, of: session.description, row["tenant_id"], by: principal.name, at: now, log, database)
            return true
        }
    }

    /// Revokes what was made with a token.
    /// - Returns: the links' public ids.
    static func revokeShares(
        ofToken token: String, by actor: String, at now: Date, _ log: RevocationLog, _ database: Database
    ) throws -> [String] {
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT shares.public_id, shares.session_id, sessions.tenant_id FROM shares
                JOIN sessions ON sessions.id = shares.session_id
                WHERE shares.token_id = ? AND shares.revoked_at IS NULL
                """, arguments: [token])
        for row in rows {
            try revoke(
                share: row["public_id"], of: row["session_id"], row["tenant_id"], by: actor, at: now, log, database)
        }
        return rows.map { $0["public_id"] }
    }

    private static func revoke(
        share publicID: String, of session: String, _ tenantID: Int64, by actor: String, at now: Date,
        _ log: RevocationLog, _ database: Database
    ) throws {
        try log.add(publicID)
        try database.execute(
            sql: "UPDATE shares SET revoked_at = ? WHERE public_id = ?",
            arguments: [now.registryMilliseconds, publicID])
        try keep(
            AuditEntry(
                tenantID: tenantID, time: now, actor: actor, action: "share.revoke",
                session: SessionID(parsing: session), detail: ["id": .string(publicID)]), in: database)
    }

    // MARK: - SQL

    private static func shareRow(_ publicID: String, _ database: Database) throws -> Row? {
        try Row.fetchOne(
            database,
            sql: """
                SELECT shares.*, sessions.tenant_id FROM shares JOIN sessions ON sessions.id = shares.session_id
                WHERE shares.public_id = ? AND sessions.lifecycle <> 'deleted'
                """, arguments: [publicID])
    }

    private static func principal(of row: Row, at now: Date) throws -> Principal? {
        let record = try shareRecord(row)
        guard (row["revoked_at"] as Int64?) == nil, record.expiresAt > now else { return nil }
        return Principal(
            Principal.Share(
                id: record.publicID, session: record.sessionID, role: record.role, expires: record.expiresAt),
            label: record.label, tenantID: row["tenant_id"])
    }

    private static func shareRecord(_ row: Row) throws -> ShareRecord {
        let (role, session): (String, String) = (row["role"], row["session_id"])
        guard let role = ShareRole(rawValue: role), let session = SessionID(parsing: session) else {
            throw RegistryError.corrupt("a share link has the role '\(role)' and the session '\(session)'")
        }
        return ShareRecord(
            publicID: row["public_id"], sessionID: session, role: role, label: row["label"],
            createdBy: row["created_by"], createdAt: Date(registryMilliseconds: row["created_at"]),
            expiresAt: Date(registryMilliseconds: row["expires_at"]),
            lastUsedAt: (row["last_used_at"] as Int64?).map(Date.init(registryMilliseconds:)))
    }
}
