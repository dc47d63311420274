public import Foundation
import GRDB
import SessionCore

extension SessionRegistry {
    /// The tenant and the user that exist from the start.
    public static let defaultTenant = "default"
    public static let adminUser = "admin"

    /// Makes a tenant.
    /// - Throws: ``RegistryError/exists(_:)`` when the name is taken.
    public func createTenant(
        _ name: String, by actor: String? = nil, at now: Date = Date()
    ) async throws(RegistryError) -> TenantRecord {
        try Self.checkName(name, of: "a tenant's name")
        return try await writeAccounts { database in
            guard try Self.tenant(named: name, database) == nil else {
                throw RegistryError.exists("there is a tenant '\(name)' already")
            }
            let tenant = try Self.insertTenant(name, at: now, database)
            try Self.keep("tenant.create", ["name": .string(name)], by: actor, tenant.id, at: now, database)
            return tenant
        }
    }

    /// Makes a user of a tenant.
    /// - Throws: ``RegistryError/exists(_:)`` when the tenant has one of that name, ``RegistryError/notFound(_:)``
    ///   when there is no such tenant.
    public func createUser(
        _ name: String, tenantID: Int64, by actor: String? = nil, at now: Date = Date()
    ) async throws(RegistryError) -> UserRecord {
        try Self.checkName(name, of: "a user's name")
        return try await writeAccounts { database in
            guard
                try Bool.fetchOne(database, sql: "SELECT 1 FROM tenants WHERE id = ?", arguments: [tenantID]) != nil
            else { throw RegistryError.notFound("there is no tenant \(tenantID)") }
            guard try Self.user(named: name, tenantID: tenantID, database) == nil else {
                throw RegistryError.exists("there is a user '\(name)' already")
            }
            let user = try Self.insertUser(name, tenantID: tenantID, at: now, database)
            try Self.keep("user.create", ["name": .string(name)], by: actor, tenantID, at: now, database)
            return user
        }
    }

    public func tenant(named name: String) async throws(RegistryError) -> TenantRecord? {
        try await read { try Self.tenant(named: name, $0) }
    }

    public func user(named name: String, tenantID: Int64) async throws(RegistryError) -> UserRecord? {
        try await read { try Self.user(named: name, tenantID: tenantID, $0) }
    }

    public func tenants() async throws(RegistryError) -> [TenantRecord] {
        try await read { try Row.fetchAll($0, sql: "SELECT * FROM tenants ORDER BY name").map(Self.tenantRecord) }
    }

    public func users(tenantID: Int64) async throws(RegistryError) -> [UserRecord] {
        try await read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM users WHERE tenant_id = ? ORDER BY name", arguments: [tenantID]
            )
            .map(Self.userRecord)
        }
    }

    /// The caller of `--auth none`: the box's own operator, with no token.
    public func localAdmin(at now: Date = Date()) async throws(RegistryError) -> Principal {
        let user = try await write { try Self.ensureAdmin(at: now, $0) }
        return Principal(
            tenantID: user.tenantID, userID: user.id, name: user.name, role: .operator, tokenID: nil)
    }

    /// The operator's token that `--admin-token-file` holds.
    ///
    /// A token of valid form that the file holds already is taken over, so that the file outlives the registry;
    /// without one a new token is made, which the caller writes to the file (mode 0600). White space around it is
    /// allowed.
    /// - Returns: the token's text.
    /// - Throws: ``RegistryError/invalid(_:)`` when the file holds something else, or a token that was revoked.
    public func ensureAdminToken(
        fileContents: String?, at now: Date = Date()
    ) async throws(RegistryError) -> String {
        let text = fileContents?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
        let token: BearerToken
        if text.isEmpty {
            token = BearerToken()
        } else if let parsed = BearerToken(parsing: text) {
            token = parsed
        } else {
            throw .invalid("the admin token file does not hold a token: remove it to have one made")
        }
        let revoked = revocations.all().contains(token.publicID)
        try await write { database in
            let admin = try Self.ensureAdmin(at: now, database)
            guard !revoked else {
                throw RegistryError.invalid(
                    "the token in the admin token file was revoked: remove the file to have one made")
            }
            let sql = "SELECT secret_hash, revoked_at FROM tokens WHERE public_id = ?"
            guard let row = try Row.fetchOne(database, sql: sql, arguments: [token.publicID]) else {
                return try Self.insert(
                    token, userID: admin.id, role: .operator, label: "admin token file", at: now, database)
            }
            guard token.matches(row["secret_hash"]) else {
                throw RegistryError.invalid(
                    "the token in the admin token file has a wrong secret: remove the file to have one made")
            }
            guard (row["revoked_at"] as Int64?) == nil else {
                throw RegistryError.invalid(
                    "the token in the admin token file was revoked: remove the file to have one made")
            }
        }
        return token.text
    }

    // MARK: - SQL

    static func ensureAdmin(at now: Date, _ database: Database) throws -> UserRecord {
        let tenant = try tenant(named: defaultTenant, database) ?? insertTenant(defaultTenant, at: now, database)
        return try user(named: adminUser, tenantID: tenant.id, database)
            ?? insertUser(adminUser, tenantID: tenant.id, at: now, database)
    }

    /// Names are shown in lists, logs and headers: 1…128 bytes, nothing that moves a terminal's cursor.
    /// nil: nobody's decision, such as the tenant that is there from the start.
    static func keep(
        _ action: String, _ detail: JSONValue, by actor: String?, _ tenantID: Int64, at now: Date, _ database: Database
    ) throws {
        guard let actor else { return }
        try keep(
            AuditEntry(tenantID: tenantID, time: now, actor: actor, action: action, detail: detail), in: database)
    }

    static func checkName(_ name: String, of what: String) throws(RegistryError) {
        guard (1...128).contains(name.utf8.count),
            !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { throw .invalid("\(what) must be 1 to 128 bytes without control characters") }
    }

    static func tenant(named name: String, _ database: Database) throws -> TenantRecord? {
        try Row.fetchOne(database, sql: "SELECT * FROM tenants WHERE name = ?", arguments: [name]).map(tenantRecord)
    }

    static func user(named name: String, tenantID: Int64, _ database: Database) throws -> UserRecord? {
        let sql = "SELECT * FROM users WHERE tenant_id = ? AND name = ?"
        return try Row.fetchOne(database, sql: sql, arguments: [tenantID, name]).map(userRecord)
    }

    static func insertTenant(_ name: String, at now: Date, _ database: Database) throws -> TenantRecord {
        try database.execute(
            sql: "INSERT INTO tenants (name, created_at) VALUES (?, ?)", arguments: [name, now.registryMilliseconds])
        return TenantRecord(id: database.lastInsertedRowID, name: name, createdAt: now)
    }

    static func insertUser(
        _ name: String, tenantID: Int64, at now: Date, _ database: Database
    ) throws -> UserRecord {
        try database.execute(
            sql: "INSERT INTO users (tenant_id, name, created_at) VALUES (?, ?, ?)",
            arguments: [tenantID, name, now.registryMilliseconds])
        return UserRecord(id: database.lastInsertedRowID, tenantID: tenantID, name: name, createdAt: now)
    }

    private static func tenantRecord(_ row: Row) -> TenantRecord {
        TenantRecord(id: row["id"], name: row["name"], createdAt: Date(registryMilliseconds: row["created_at"]))
    }

    private static func userRecord(_ row: Row) -> UserRecord {
        UserRecord(
            id: row["id"], tenantID: row["tenant_id"], name: row["name"],
            createdAt: Date(registryMilliseconds: row["created_at"]))
    }
}
