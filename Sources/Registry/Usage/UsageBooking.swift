import Foundation
import GRDB
import SessionCore

/// Puts one state of a request into the log and into the accounts, in the caller's transaction.
///
/// The accounts are sums; a request is in them with what its row in the log says, so that the same state booked twice
/// changes nothing, and a later one changes them by the difference.
struct UsageBooking {
    let database: Database

    /// What a row of the log adds to the accounts.
    private struct Share {
        var day: String
        var tenantID: Int64
        var userID: Int64
        var sessionID: String
        var model: String
        var requests: Int64
        var tokens: TokenCounts

        var isNothing: Bool { requests == 0 && tokens == .none }
    }

    /// - Throws: ``RegistryError/notFound(_:)`` when there is no such session.
    func book(_ request: LoggedRequest) throws {
        let sql = "SELECT tenant_id, owner_id FROM sessions WHERE id = ?"
        guard let owner = try Row.fetchOne(database, sql: sql, arguments: [request.sessionID.description]) else {
            throw RegistryError.notFound("there is no session \(request.sessionID)")
        }
        var request = request
        if try isKnown(request) {
            // The same request by another way: it stays in the log, without a second count.
            request.requestID = nil
            request.tokens = .none
        }
        let before = try Row.fetchOne(
            database, sql: "SELECT * FROM model_requests WHERE id = ?", arguments: [request.id.uuidString])
        if let before { try add(share(of: before), times: -1) }
        try database.execute(
            sql: """
                INSERT INTO model_requests (id, session_id, tenant_id, user_id, method, path, outcome, model, status,
                    request_id, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_nano_usd,
                    started_at, first_byte_at, ended_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome, model = excluded.model,
                    status = excluded.status, request_id = excluded.request_id, input_tokens = excluded.input_tokens,
                    output_tokens = excluded.output_tokens, cache_read_tokens = excluded.cache_read_tokens,
                    cache_write_tokens = excluded.cache_write_tokens, cost_nano_usd = excluded.cost_nano_usd,
                    first_byte_at = excluded.first_byte_at, ended_at = excluded.ended_at
                """,
            arguments: [
                request.id.uuidString, request.sessionID.description, owner["tenant_id"] as Int64,
                owner["owner_id"] as Int64, request.method, request.path, request.outcome, request.model,
                request.status, request.requestID, request.tokens.input, request.tokens.output,
                request.tokens.cacheRead, request.tokens.cacheWrite, request.tokens.cost,
                request.startedAt.registryMilliseconds, request.firstByteAt?.registryMilliseconds,
                request.endedAt?.registryMilliseconds,
            ])
        let after = try Row.fetchOne(
            database, sql: "SELECT * FROM model_requests WHERE id = ?", arguments: [request.id.uuidString])
        if let after { try add(share(of: after), times: 1) }
    }

    private func isKnown(_ request: LoggedRequest) throws -> Bool {
        guard let name = request.requestID else { return false }
        return try Bool.fetchOne(
            database,
            sql: "SELECT EXISTS (SELECT 1 FROM model_requests WHERE session_id = ? AND request_id = ? AND id <> ?)",
            arguments: [request.sessionID.description, name, request.id.uuidString]) ?? false
    }

    private func share(of row: Row) -> Share {
        let status: Int? = row["status"]
        let isMessage = (row["path"] as String) == "/v1/messages"
        return Share(
            day: Date(registryMilliseconds: row["started_at"]).registryDay, tenantID: row["tenant_id"],
            userID: row["user_id"], sessionID: row["session_id"], model: row["model"] ?? "",
            requests: status != nil && isMessage ? 1 : 0,
            tokens: TokenCounts(
                input: row["input_tokens"], output: row["output_tokens"], cacheRead: row["cache_read_tokens"],
                cacheWrite: row["cache_write_tokens"], cost: row["cost_nano_usd"]))
    }

    private func add(_ share: Share, times factor: Int64) throws {
        guard !share.isNothing else { return }
        let tokens = share.tokens
        try database.execute(
            sql: """
                INSERT INTO usage (day, tenant_id, user_id, session_id, model, requests, input_tokens, output_tokens,
                    cache_read_tokens, cache_write_tokens, cost_nano_usd)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (day, tenant_id, user_id, session_id, model) DO UPDATE SET
                    requests = requests + excluded.requests, input_tokens = input_tokens + excluded.input_tokens,
                    output_tokens = output_tokens + excluded.output_tokens,
                    cache_read_tokens = cache_read_tokens + excluded.cache_read_tokens,
                    cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens,
                    cost_nano_usd = cost_nano_usd + excluded.cost_nano_usd
                """,
            arguments: [
                share.day, share.tenantID, share.userID, share.sessionID, share.model, factor * share.requests,
                factor * tokens.input, factor * tokens.output, factor * tokens.cacheRead, factor * tokens.cacheWrite,
                factor * tokens.cost,
            ])
    }
}

extension Date {
    /// The day in UTC: `2026-11-25`.
    var registryDay: String { formatted(.iso8601.year().month().day()) }
}
