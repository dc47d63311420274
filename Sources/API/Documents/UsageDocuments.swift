import Foundation
import Registry
import SessionCore

/// One row of `GET /v1/usage`: the keys that were asked for, and the sums.
struct UsageDocument: Encodable, Sendable {
    var day: String?
    var tenant: String?
    var user: String?
    var sessionID: SessionID?
    var model: String?
    var requests: Int64
    var inputTokens: Int64
    var outputTokens: Int64
    var cacheReadTokens: Int64
    var cacheWriteTokens: Int64
    var costUsd: Double

    init(_ row: UsageRow) {
        day = row.day
        tenant = row.tenant
        user = row.user
        sessionID = row.sessionID
        model = row.model
        requests = row.requests
        inputTokens = row.tokens.input
        outputTokens = row.tokens.output
        cacheReadTokens = row.tokens.cacheRead
        cacheWriteTokens = row.tokens.cacheWrite
        costUsd = row.tokens.usd
    }
}

/// `GET …/usage`: a session's, by model and in all.
struct SessionUsageDocument: Encodable, Sendable {
    var total: UsageDocument
    var models: [UsageDocument]
}

/// One line of `GET …/requests`.
struct RequestDocument: Encodable, Sendable {
    var id: String
    var method: String
    var path: String
    var outcome: String
    var model: String?
    var status: Int?
    var requestID: String?
    var inputTokens: Int64
    var outputTokens: Int64
    var cacheReadTokens: Int64
    var cacheWriteTokens: Int64
    var costUsd: Double
    var startedAt: Date
    var firstByteAt: Date?
    var endedAt: Date?

    init(_ request: LoggedRequest) {
        id = request.id.uuidString.lowercased()
        method = request.method
        path = request.path
        outcome = request.outcome
        model = request.model
        status = request.status
        requestID = request.requestID
        inputTokens = request.tokens.input
        outputTokens = request.tokens.output
        cacheReadTokens = request.tokens.cacheRead
        cacheWriteTokens = request.tokens.cacheWrite
        costUsd = request.tokens.usd
        startedAt = request.startedAt
        firstByteAt = request.firstByteAt
        endedAt = request.endedAt
    }
}
