public import Foundation
import GRDB
public import SessionCore

extension SessionRegistry {
    /// Writes states of requests down, all or none, durably. Each takes the place of what was said of its request before.
    ///
    /// - Returns: those that could not be: of sessions that there are not.
    public func book(_ requests: [LoggedRequest]) async throws(RegistryError) -> Set<UUID> {
        try await write { database in
            let booking = UsageBooking(database: database)
            var unknown: Set<UUID> = []
            for request in requests {
                do { try booking.book(request) } catch RegistryError.notFound { unknown.insert(request.id) }
            }
            return unknown
        }
    }

    /// At a start: what is still open was cut off with the supervisor that carried it. What it had used by then stays.
    /// - Returns: how many there were.
    public func closeInterruptedRequests() async throws(RegistryError) -> Int {
        try await write { database in
            try database.execute(sql: "UPDATE model_requests SET outcome = 'interrupted' WHERE outcome = 'open'")
            return database.changesCount
        }
    }

    /// Forgets requests that began before; the accounts keep what they used.
    public func forgetRequests(before time: Date, keeping most: Int) async throws(RegistryError) {
        try await write { database in
            try database.execute(
                sql: "DELETE FROM model_requests WHERE started_at < ? AND outcome <> 'open'",
                arguments: [time.registryMilliseconds])
            // A session that asks without end has its newest.
            try database.execute(
                sql: """
                    DELETE FROM model_requests WHERE outcome <> 'open' AND id IN (
                        SELECT id FROM (
                            SELECT id, row_number() OVER (PARTITION BY session_id ORDER BY started_at DESC) AS place
                            FROM model_requests WHERE session_id IN (
                                SELECT session_id FROM model_requests GROUP BY session_id HAVING count(*) > ?))
                        WHERE place > ?)
                    """,
                arguments: [most, most])
        }
    }

    /// What was used by the sessions that the caller may see; also by those that are gone.
    /// - Throws: ``RegistryError/invalid(_:)`` for a day that is none.
    public func usage(
        _ query: UsageQuery, visibleTo principal: Principal
    ) async throws(RegistryError) -> [UsageRow] {
        var (conditions, arguments) = Self.visibleUsage("usage", to: principal)
        for (day, comparison) in [(query.since, ">="), (query.until, "<=")] {
            guard let day else { continue }
            guard Self.isDay(day) else { throw .invalid("'\(day.prefix(40))' is not a day: write 2026-11-25") }
            conditions.append("usage.day \(comparison) ?")
            arguments += [day]
        }
        if let id = query.sessionID {
            conditions.append("usage.session_id = ?")
            arguments += [id.description]
        }
        let columns = query.groups.map { key in
            switch key {
            case .day: "usage.day AS day"
            case .tenant: "tenants.name AS tenant"
            case .user: "users.name AS user"
            case .session: "usage.session_id AS session"
            case .model: "usage.model AS model"
            }
        }
        let names = query.groups.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        // By id, for two tenants may have users of one name.
        let apart = query.groups.contains(.user) ? ", usage.user_id" : ""
        let sql = """
            SELECT \(columns.map { $0 + ", " }.joined())
                count(*) AS lines, coalesce(sum(requests), 0) AS requests, coalesce(sum(input_tokens), 0) AS input,
                coalesce(sum(output_tokens), 0) AS output, coalesce(sum(cache_read_tokens), 0) AS cache_read,
                coalesce(sum(cache_write_tokens), 0) AS cache_write, coalesce(sum(cost_nano_usd), 0) AS cost
            FROM usage JOIN tenants ON tenants.id = usage.tenant_id JOIN users ON users.id = usage.user_id
            WHERE \(conditions.joined(separator: " AND "))
            \(names.isEmpty ? "" : "GROUP BY \(names)\(apart) ORDER BY \(names)") LIMIT \(Self.mostUsageRows)
            """
        let values = arguments
        return try await read { database in
            try Row.fetchAll(database, sql: sql, arguments: values).map { row in
                UsageRow(
                    day: row["day"], tenant: row["tenant"], user: row["user"],
                    sessionID: (row["session"] as String?).flatMap { SessionID(parsing: $0) }, model: row["model"],
                    requests: row["requests"],
                    tokens: TokenCounts(
                        input: row["input"], output: row["output"], cacheRead: row["cache_read"],
                        cacheWrite: row["cache_write"], cost: row["cost"]))
            }
        }
    }

    /// The most rows of one answer.
    public static let mostUsageRows = 10_000

    /// Requests of a session that the caller may see, newest first.
    /// - Parameter cursor: `nextCursor` of the page before.
    /// - Throws: ``RegistryError/invalid(_:)`` for a bad cursor.
    public func requests(
        of id: SessionID, limit: Int, cursor: String?, visibleTo principal: Principal
    ) async throws(RegistryError) -> (items: [LoggedRequest], nextCursor: String?) {
        var (conditions, arguments) = Self.visibleUsage("model_requests", to: principal)
        conditions.append("model_requests.session_id = ?")
        arguments += [id.description]
        if let cursor {
            let cursor = try PageCursor(parsing: cursor)
            conditions.append("(started_at, id) < (?, ?)")
            arguments += [cursor.createdAt, cursor.id.description.uppercased()]
        }
        let sql = """
            SELECT * FROM model_requests WHERE \(conditions.joined(separator: " AND "))
            ORDER BY started_at DESC, id DESC LIMIT \(limit + 1)
            """
        let values = arguments
        let found = try await read {
            try Row.fetchAll($0, sql: sql, arguments: values).map { try Self.request($0, id) }
        }
        guard found.count > limit, let last = found.dropLast().last else { return (found, nil) }
        let cursor = PageCursor(createdAt: last.startedAt.registryMilliseconds, id: SessionID(last.id))
        return (found.dropLast(), cursor.text)
    }

    static func request(_ row: Row, _ session: SessionID) throws -> LoggedRequest {
        guard let id = UUID(uuidString: row["id"]) else {
            throw RegistryError.corrupt("a model request is called '\(row["id"] as String)'")
        }
        func date(_ column: String) -> Date? { (row[column] as Int64?).map { Date(registryMilliseconds: $0) } }
        return LoggedRequest(
            id: id, sessionID: session, method: row["method"], path: row["path"], outcome: row["outcome"],
            model: row["model"], status: row["status"], requestID: row["request_id"],
            tokens: TokenCounts(
                input: row["input_tokens"], output: row["output_tokens"], cacheRead: row["cache_read_tokens"],
                cacheWrite: row["cache_write_tokens"], cost: row["cost_nano_usd"]),
            startedAt: Date(registryMilliseconds: row["started_at"]), firstByteAt: date("first_byte_at"),
            endedAt: date("ended_at"))
    }

    /// The rule of ``SessionAccess/read``, on tables that outlive sessions.
    static func visibleUsage(
        _ table: String, to principal: Principal
    ) -> (conditions: [String], arguments: StatementArguments) {
        switch principal.role {
        case .operator: (["1"], [])
        case .admin, .viewer, .approver: (["\(table).tenant_id = ?"], [principal.tenantID])
        case .user:
            (["\(table).tenant_id = ?", "\(table).user_id = ?"], [principal.tenantID, principal.userID])
        }
    }

    private static func isDay(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count == 10
            && bytes.enumerated().allSatisfy { index, byte in
                index == 4 || index == 7 ? byte == UInt8(ascii: "-") : (0x30...0x39).contains(byte)
            }
    }
}
