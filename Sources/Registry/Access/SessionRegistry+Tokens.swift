public import Foundation
import GRDB
import SessionCore

extension SessionRegistry {
    /// How exact ``TokenRecord/lastUsedAt`` is: one write per token and interval, not per request.
    static let lastUseResolution: TimeInterval = 300

    /// Makes a token for a user. The text is shown this once; only its hash is stored.
    public func createToken(
        userID: Int64, role: Role, label: String? = nil, by actor: String? = nil, at now: Date = Date()
    ) async throws(RegistryError) -> (token: String, record: TokenRecord) {
        if let label { try Self.checkName(label, of: "a token's label") }
        let token = BearerToken()
        let record = try await writeAccounts { database in
            try Self.insert(token, userID: userID, role: role, label: label, at: now, database)
            let record = try Self.token(token.publicID, database)
            if let record {
                try Self.keep("token.create", record.audit, by: actor, record.tenantID, at: now, database)
            }
            return record
        }
        guard let record else { throw .corrupt("a token that was just made is not there") }
        return (token.text, record)
    }

    /// Whom a presented token stands for; nil for one that is malformed, unknown, wrong or revoked.
    public func principal(ofToken text: String, at now: Date = Date()) async throws(RegistryError) -> Principal? {
        guard let token = BearerToken(parsing: text) else { return nil }
        let found: (hash: Data, record: TokenRecord)? = try await read { database in
            let sql = "\(Self.tokenSelection) WHERE tokens.public_id = ?"
            guard let row = try Row.fetchOne(database, sql: sql, arguments: [token.publicID]) else { return nil }
            return (row["secret_hash"], try Self.tokenRecord(row))
        }
        // An unknown id costs the same comparison as a wrong secret.
        let matches = token.matches(found?.hash ?? Data(count: 32))
        guard matches, let record = found?.record, record.revokedAt == nil else { return nil }
        if now.timeIntervalSince(record.lastUsedAt ?? .distantPast) >= Self.lastUseResolution {
            // A full disk must not lock everybody out.
            try? await write { database in
                try database.execute(
                    sql: "UPDATE tokens SET last_used_at = ? WHERE public_id = ?",
                    arguments: [now.registryMilliseconds, token.publicID])
            }
        }
        return Principal(
            tenantID: record.tenantID, userID: record.userID, name: record.user, role: record.role,
            tokenID: record.publicID)
    }

    /// The tokens a caller may see: its own as a user, its tenant's as an admin, all as an operator; newest first.
    public func tokens(visibleTo principal: Principal) async throws(RegistryError) -> [TokenRecord] {
        let (condition, arguments) = Self.tokenPredicate(principal)
        return try await read { database in
            try Row.fetchAll(
                database,
                sql: "\(Self.tokenSelection) WHERE \(condition) ORDER BY tokens.created_at DESC, tokens.public_id",
                arguments: arguments
            ).map(Self.tokenRecord)
        }
    }

    /// Revokes a token at once, and the share links that were made with it. Idempotent; nil when the caller may not see
    /// one of that public id.
    /// - Returns: the links' public ids too.
    public func revokeToken(
        _ publicID: String, visibleTo principal: Principal, at now: Date = Date()
    ) async throws(RegistryError) -> (record: TokenRecord, shares: [String])? {
        let (condition, arguments) = Self.tokenPredicate(principal)
        let log = revocations
        return try await writeAccounts { database in
            let sql = "\(Self.tokenSelection) WHERE tokens.public_id = ? AND \(condition)"
            guard let row = try Row.fetchOne(database, sql: sql, arguments: [publicID] + arguments) else { return nil }
            let record = try Self.tokenRecord(row)
            try log.add(publicID)
            if record.revokedAt == nil {
                try Self.keep(
                    "token.revoke", record.audit, by: principal.name, record.tenantID, at: now, database)
            }
            try database.execute(
                sql: "UPDATE tokens SET revoked_at = ? WHERE public_id = ? AND revoked_at IS NULL",
                arguments: [now.registryMilliseconds, publicID])
            let shares = try Self.revokeShares(ofToken: publicID, by: principal.name, at: now, log, database)
            return try Self.token(publicID, database).map { (record: $0, shares: shares) }
        }
    }

    // MARK: - SQL

    static let tokenSelection = """
        SELECT tokens.*, users.name AS user_name, tenants.id AS tenant_id, tenants.name AS tenant_name
        FROM tokens JOIN users ON users.id = tokens.user_id JOIN tenants ON tenants.id = users.tenant_id
        """

    static func tokenPredicate(_ principal: Principal) -> (String, StatementArguments) {
        switch principal.role {
        case .operator: ("1", [])
        case .admin: ("tenants.id = ?", [principal.tenantID])
        case .viewer, .approver, .user:
            ("tenants.id = ? AND users.id = ?", [principal.tenantID, principal.userID])
        }
    }

    static func token(_ publicID: String, _ database: Database) throws -> TokenRecord? {
        try Row.fetchOne(database, sql: "\(tokenSelection) WHERE tokens.public_id = ?", arguments: [publicID])
            .map(tokenRecord)
    }

    static func insert(
        _ token: BearerToken, userID: Int64, role: Role, label: String?, at now: Date, _ database: Database
    ) throws {
        guard try Bool.fetchOne(database, sql: "SELECT 1 FROM users WHERE id = ?", arguments: [userID]) != nil else {
            throw RegistryError.notFound("there is no user \(userID)")
        }
        try database.execute(
            sql: """
                INSERT INTO tokens (public_id, secret_hash, user_id, role, label, created_at)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [token.publicID, token.secretHash, userID, role.rawValue, label, now.registryMilliseconds])
    }

    static func tokenRecord(_ row: Row) throws -> TokenRecord {
        let role: String = row["role"]
        guard let role = Role(rawValue: role) else { throw RegistryError.corrupt("a token has the role '\(role)'") }
        return TokenRecord(
            publicID: row["public_id"], tenantID: row["tenant_id"], tenant: row["tenant_name"], userID: row["user_id"],
            user: row["user_name"], role: role, label: row["label"],
            createdAt: Date(registryMilliseconds: row["created_at"]),
            lastUsedAt: (row["last_used_at"] as Int64?).map(Date.init(registryMilliseconds:)),
            revokedAt: (row["revoked_at"] as Int64?).map(Date.init(registryMilliseconds:)))
    }
}

extension TokenRecord {
    fileprivate var audit: JSONValue {
        [
            "id": .string(publicID), "user": .string(user), "role": .string(role.rawValue),
            "name": label.map { .string($0) } ?? .null,
        ]
    }
}
