import Foundation
import GRDB
import Policy
import SessionCore

/// How a session is written to and read from its row.
enum SessionRow {
    static let selection = """
        SELECT sessions.*, tenants.name AS tenant_name, users.name AS owner_name
        FROM sessions JOIN tenants ON tenants.id = sessions.tenant_id JOIN users ON users.id = sessions.owner_id
        """

    static func record(_ row: Row) throws -> SessionRecord {
        guard let id = SessionID(parsing: row["id"] as String) else {
            throw RegistryError.corrupt("a session has the id '\(row["id"] as String)'")
        }
        var record = SessionRecord(
            id: id, tenantID: row["tenant_id"], tenant: row["tenant_name"], ownerID: row["owner_id"],
            owner: row["owner_name"], name: row["name"], kind: try value(row, "kind"),
            lifecycle: try value(row, "lifecycle"), desired: try value(row, "desired"),
            reason: try optional(row, "reason"), detail: row["detail"], incarnation: row["incarnation"],
            uidSlot: row["uid_slot"], policy: row["policy"], image: row["image"],
            size: TerminalSize(cols: row["cols"], rows: row["rows"]), model: row["model"],
            permissionMode: row["permission_mode"], environment: try document(row, "environment"),
            labels: try document(row, "labels"), pinned: row["pinned"],
            idleTimeout: span(row, "idle_timeout_ms"), maxLifetime: span(row, "max_lifetime_ms"),
            createdAt: Date(registryMilliseconds: row["created_at"]),
            updatedAt: Date(registryMilliseconds: row["updated_at"]),
            startedAt: (row["started_at"] as Int64?).map(Date.init(registryMilliseconds:)),
            lastActivityAt: Date(registryMilliseconds: row["last_activity_at"]),
            lastSequence: UInt64(clamping: row["last_sequence"] as Int64),
            workerPID: (row["worker_pid"] as Int64?).map { Int32(clamping: $0) },
            workerStartTime: (row["worker_start_time"] as Int64?).map { UInt64(clamping: $0) },
            limits: try document(row, "limits"), cgroups: try document(row, "cgroups"))
        record.keepsWorkspace = row["keeps_workspace"]
        record.egress = (row["egress"] as String?) == nil ? nil : try document(row, "egress")
        record.revision = row["revision"]
        return record
    }

    /// Every column of the row but the joined names.
    static func columns(_ record: SessionRecord) throws -> [String: (any DatabaseValueConvertible)?] {
        [
            "id": record.id.description, "tenant_id": record.tenantID, "owner_id": record.ownerID, "name": record.name,
            "kind": record.kind.rawValue, "lifecycle": record.lifecycle.rawValue, "desired": record.desired.rawValue,
            "reason": record.reason?.rawValue, "detail": record.detail, "incarnation": record.incarnation,
            "uid_slot": record.uidSlot, "policy": record.policy, "image": record.image, "cols": record.size.cols,
            "rows": record.size.rows, "model": record.model, "permission_mode": record.permissionMode,
            "environment": try json(record.environment), "labels": try json(record.labels), "pinned": record.pinned,
            "idle_timeout_ms": record.idleTimeout.map { Int64(clamping: $0.milliseconds) },
            "max_lifetime_ms": record.maxLifetime.map { Int64(clamping: $0.milliseconds) },
            "created_at": record.createdAt.registryMilliseconds, "updated_at": record.updatedAt.registryMilliseconds,
            "started_at": record.startedAt?.registryMilliseconds,
            "last_activity_at": record.lastActivityAt.registryMilliseconds,
            "last_sequence": Int64(clamping: record.lastSequence), "worker_pid": record.workerPID.map { Int64($0) },
            "worker_start_time": record.workerStartTime.map { Int64(clamping: $0) },
            "limits": try json(record.limits), "cgroups": try json(record.cgroups),
            "keeps_workspace": record.keepsWorkspace,
            "egress": try record.egress.map { try json($0) }, "revision": record.revision,
        ]
    }

    static func fetch(_ id: SessionID, _ database: Database) throws -> SessionRecord? {
        try Row.fetchOne(database, sql: "\(selection) WHERE sessions.id = ?", arguments: [id.description]).map(record)
    }

    static func insert(_ record: SessionRecord, _ database: Database) throws {
        let columns = try columns(record).sorted { $0.key < $1.key }
        try database.execute(
            sql: """
                INSERT INTO sessions (\(columns.map(\.key).joined(separator: ", ")))
                VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")))
                """,
            arguments: StatementArguments(columns.map(\.value)))
    }

    /// Writes a change, which makes the record newer than every copy of it.
    static func update(_ record: SessionRecord, _ database: Database) throws {
        var record = record
        record.revision += 1
        try replace(record, database)
    }

    /// Writes the record as it is.
    static func replace(_ record: SessionRecord, _ database: Database) throws {
        let columns = try columns(record).filter { $0.key != "id" }.sorted { $0.key < $1.key }
        try database.execute(
            sql: "UPDATE sessions SET \(columns.map { "\($0.key) = ?" }.joined(separator: ", ")) WHERE id = ?",
            arguments: StatementArguments(columns.map(\.value) + [record.id.description]))
    }

    private static func json(_ value: some Encodable) throws -> String {
        String(decoding: try JSONEncoder.rookery.encode(value), as: UTF8.self)
    }

    private static func document<Value: Decodable>(_ row: Row, _ column: String) throws -> Value {
        do {
            return try JSONDecoder.rookery.decode(Value.self, from: Data((row[column] as String).utf8))
        } catch {
            throw RegistryError.corrupt("\(column) of session \(row["id"] as String) is not readable: \(error)")
        }
    }

    private static func value<Value: RawRepresentable<String>>(_ row: Row, _ column: String) throws -> Value {
        let text: String = row[column]
        guard let value = Value(rawValue: text) else {
            throw RegistryError.corrupt("\(column) of session \(row["id"] as String) is '\(text)'")
        }
        return value
    }

    private static func optional<Value: RawRepresentable<String>>(_ row: Row, _ column: String) throws -> Value? {
        guard (row[column] as String?) != nil else { return nil }
        return try value(row, column) as Value
    }

    private static func span(_ row: Row, _ column: String) -> TimeSpan? {
        (row[column] as Int64?).map { TimeSpan(milliseconds: UInt64(clamping: $0)) }
    }
}
