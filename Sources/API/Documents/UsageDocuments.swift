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

/// `GET …/requests/{request}`: the line, and what is kept of its bodies.
struct WholeRequestDocument: Encodable, Sendable {
    private enum CodingKeys: String, CodingKey {
        case requestBody = "request_body"
        case responseBody = "response_body"
    }

    /// The beginning of a body.
    struct Body: Encodable, Sendable {
        /// Of the whole body.
        var bytes: Int64
        var truncated: Bool
        /// Where it is UTF-8; else ``base64``.
        var text: String?
        var base64: String?

        init(_ data: Data, of bytes: Int64) {
            self.bytes = bytes
            truncated = data.count < bytes
            text = Self.text(data, mayEndWithin: truncated)
            if text == nil { base64 = data.base64EncodedString() }
        }

        /// A body that is cut may end within a character.
        private static func text(_ data: Data, mayEndWithin: Bool) -> String? {
            for dropped in 0...(mayEndWithin ? 3 : 0) where data.count >= dropped {
                if let text = String(data: data.dropLast(dropped), encoding: .utf8) { return text }
            }
            return nil
        }
    }

    private var line: RequestDocument
    private var bodies: (request: Body, response: Body)?

    init(_ request: LoggedRequest, _ bodies: LoggedBodies?) {
        line = RequestDocument(request)
        self.bodies = bodies.map {
            (Body($0.request, of: $0.requestBytes), Body($0.answer, of: $0.answerBytes))
        }
    }

    func encode(to encoder: any Encoder) throws {
        try line.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(bodies?.request, forKey: .requestBody)
        try container.encodeIfPresent(bodies?.response, forKey: .responseBody)
    }
}
