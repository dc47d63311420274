public import Foundation
import GRDB

extension SessionRegistry {
    /// Devices of one user.
    public static let mostDevices = 100

    /// Makes a device of the caller's.
    public func createDevice(
        name: String, secret: Data, for principal: Principal, at now: Date = Date()
    ) async throws(RegistryError) -> DeviceRecord {
        try Self.checkName(name, of: "a device's name")
        guard secret.count == 32 else { throw .invalid("a device's secret has 32 bytes") }
        let record = try await writeAccounts { database in
            let count = try Int.fetchOne(
                database, sql: "SELECT count(*) FROM devices WHERE owner_id = ?", arguments: [principal.userID])
            guard count ?? 0 < Self.mostDevices else {
                throw RegistryError.exhausted("a user has at most \(Self.mostDevices) devices: remove one")
            }
            try database.execute(
                sql: "INSERT INTO devices (tenant_id, owner_id, secret, name, created_at) VALUES (?, ?, ?, ?, ?)",
                arguments: [principal.tenantID, principal.userID, secret, name, now.registryMilliseconds])
            return try Self.device(database.lastInsertedRowID, database)
        }
        guard let record else { throw .corrupt("a device that was just made is not there") }
        return record
    }

    /// Every device: who dials in says which one it is by its signature alone.
    public func allDevices() async throws(RegistryError) -> [DeviceRecord] {
        try await read { database in try Row.fetchAll(database, sql: Self.deviceSelection).map(Self.deviceRecord) }
    }

    /// The devices a caller may see, by the rule that sessions have.
    public func devices(visibleTo principal: Principal) async throws(RegistryError) -> [DeviceRecord] {
        let (condition, arguments) = Self.devicePredicate(principal)
        return try await read { database in
            try Row.fetchAll(
                database, sql: "\(Self.deviceSelection) WHERE \(condition) ORDER BY devices.id", arguments: arguments
            ).map(Self.deviceRecord)
        }
    }

    /// Removes a device with all that it showed.
    /// - Returns: false when the caller has none of that id.
    public func deleteDevice(_ id: Int64, visibleTo principal: Principal) async throws(RegistryError) -> Bool {
        let (condition, arguments) = Self.devicePredicate(principal, changes: true)
        return try await writeAccounts { database in
            try database.execute(
                sql: "DELETE FROM devices WHERE id = ? AND \(condition)", arguments: [id] + arguments)
            return database.changesCount > 0
        }
    }

    public func sawDevice(_ id: Int64, at now: Date = Date()) async throws(RegistryError) {
        try await write { database in
            try database.execute(
                sql: "UPDATE devices SET last_seen = ? WHERE id = ?", arguments: [now.registryMilliseconds, id])
        }
    }

    // MARK: - SQL

    static let deviceSelection =
        "SELECT devices.*, users.name AS owner FROM devices JOIN users ON users.id = devices.owner_id"

    /// Whose devices, and what they show, a caller sees or changes.
    static func devicePredicate(_ principal: Principal, changes: Bool = false) -> (String, StatementArguments) {
        switch principal.role {
        case .operator: return ("1", [])
        case .admin: return ("devices.tenant_id = ?", [principal.tenantID])
        case .viewer, .approver:
            return changes ? ("0", []) : ("devices.tenant_id = ?", [principal.tenantID])
        case .user:
            return ("devices.tenant_id = ? AND devices.owner_id = ?", [principal.tenantID, principal.userID])
        }
    }

    static func device(_ id: Int64, _ database: Database) throws -> DeviceRecord? {
        try Row.fetchOne(database, sql: "\(deviceSelection) WHERE devices.id = ?", arguments: [id])
            .map(deviceRecord)
    }

    static func deviceRecord(_ row: Row) -> DeviceRecord {
        DeviceRecord(
            id: row["id"], tenantID: row["tenant_id"], ownerID: row["owner_id"], owner: row["owner"],
            name: row["name"], secret: row["secret"], createdAt: Date(registryMilliseconds: row["created_at"]),
            lastSeen: (row["last_seen"] as Int64?).map(Date.init(registryMilliseconds:)))
    }
}
