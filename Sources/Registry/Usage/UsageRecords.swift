public import Foundation
public import SessionCore

/// One request of a session to the model API, as the log of requests has it. The registry takes each state of a request
/// in place of the one before.
public struct LoggedRequest: Sendable, Hashable {
    public var id: UUID
    public var sessionID: SessionID
    public var method: String
    public var path: String
    /// `open`, `complete`, `cut`, `refused`, `unanswered`; `interrupted` for one that the supervisor did not live to see
    /// the end of.
    public var outcome: String
    public var model: String?
    public var status: Int?
    /// The API's own name for it. What comes twice under one name counts once.
    public var requestID: String?
    public var tokens: TokenCounts
    public var startedAt: Date
    public var firstByteAt: Date?
    public var endedAt: Date?

    public init(
        id: UUID, sessionID: SessionID, method: String, path: String, outcome: String, model: String?, status: Int?,
        requestID: String?, tokens: TokenCounts, startedAt: Date, firstByteAt: Date?, endedAt: Date?
    ) {
        self.id = id
        self.sessionID = sessionID
        self.method = method
        self.path = path
        self.outcome = outcome
        self.model = model
        self.status = status
        self.requestID = requestID
        self.tokens = tokens
        self.startedAt = startedAt
        self.firstByteAt = firstByteAt
        self.endedAt = endedAt
    }
}

/// Tokens by kind, and what they cost.
public struct TokenCounts: Sendable, Hashable {
    public var input: Int64
    public var output: Int64
    public var cacheRead: Int64
    public var cacheWrite: Int64
    /// In nano-USD.
    public var cost: Int64

    public var usd: Double { Double(cost) / 1e9 }

    public static let none = TokenCounts(input: 0, output: 0, cacheRead: 0, cacheWrite: 0, cost: 0)

    public init(input: Int64, output: Int64, cacheRead: Int64, cacheWrite: Int64, cost: Int64) {
        self.input = input
        self.output = output
        self.cacheRead = cacheRead
        self.cacheWrite = cacheWrite
        self.cost = cost
    }
}

/// By what usage is told apart.
public enum UsageKey: String, Sendable, Hashable, CaseIterable {
    case day, tenant, user, session, model
}

/// Which usage is asked for.
public struct UsageQuery: Sendable, Hashable {
    /// Days in UTC, `2026-11-25`, both included.
    public var since: String?
    public var until: String?
    public var sessionID: SessionID?
    /// One row for each combination; empty: one row for all.
    public var groups: [UsageKey]

    public init(
        since: String? = nil, until: String? = nil, sessionID: SessionID? = nil, groups: [UsageKey] = []
    ) {
        self.since = since
        self.until = until
        self.sessionID = sessionID
        self.groups = groups
    }
}

/// What was used: one row of an answer. Keys that were not asked for are nil.
public struct UsageRow: Sendable, Hashable {
    public var day: String?
    public var tenant: String?
    public var user: String?
    public var sessionID: SessionID?
    public var model: String?
    public var requests: Int64
    public var tokens: TokenCounts

    public init(
        day: String? = nil, tenant: String? = nil, user: String? = nil, sessionID: SessionID? = nil,
        model: String? = nil, requests: Int64, tokens: TokenCounts
    ) {
        self.day = day
        self.tenant = tenant
        self.user = user
        self.sessionID = sessionID
        self.model = model
        self.requests = requests
        self.tokens = tokens
    }
}
