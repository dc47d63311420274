public import Foundation
public import SessionCore

/// For how long a budget is, in UTC.
public enum BudgetPeriod: String, Sendable, Hashable, CaseIterable {
    case day, month

    /// The one that a time is in: `2026-11-25`, or `2026-11`.
    public func name(of time: Date) -> String {
        switch self {
        case .day: time.registryDay
        case .month: String(time.registryDay.prefix(7))
        }
    }

    /// When the next one begins.
    public func end(of time: Date) -> Date {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar.dateInterval(of: self == .day ? .day : .month, for: time)?.end ?? time
    }

    /// The first and the last day of the one with that name, as the accounts have them.
    func days(of name: String) -> (first: String, last: String) {
        switch self {
        case .day: (name, name)
        case .month: ("\(name)-01", "\(name)-31")
        }
    }
}

/// Whose spending a budget bounds: a tenant's, one of its users', or one session's.
public struct BudgetScope: Sendable, Hashable {
    public var tenantID: Int64
    public var userID: Int64?
    public var sessionID: SessionID?

    public init(tenantID: Int64, userID: Int64? = nil, sessionID: SessionID? = nil) {
        self.tenantID = tenantID
        self.userID = userID
        self.sessionID = sessionID
    }

    public func covers(_ session: SessionID, of owner: CredentialOwner) -> Bool {
        tenantID == owner.tenantID && (userID == nil || userID == owner.userID)
            && (sessionID == nil || sessionID == session)
    }
}

/// What may be spent in a period, and what was said of that so far.
public struct BudgetRow: Sendable, Hashable {
    public var id: Int64
    public var scope: BudgetScope
    public var tenant: String
    public var user: String?
    public var period: BudgetPeriod
    /// In nano-USD.
    public var limit: Int64
    /// An operator set it: only an operator changes it.
    public var isOperators: Bool
    /// The period for which most of it was said to be used.
    public var warnedFor: String?
    /// The period in which it was used up, and when.
    public var reachedFor: String?
    public var reachedAt: Date?
    public var updatedAt: Date
    public var updatedBy: String

    public init(
        id: Int64, scope: BudgetScope, tenant: String, user: String?, period: BudgetPeriod, limit: Int64,
        isOperators: Bool, warnedFor: String? = nil, reachedFor: String? = nil, reachedAt: Date? = nil,
        updatedAt: Date, updatedBy: String
    ) {
        self.id = id
        self.scope = scope
        self.tenant = tenant
        self.user = user
        self.period = period
        self.limit = limit
        self.isOperators = isOperators
        self.warnedFor = warnedFor
        self.reachedFor = reachedFor
        self.reachedAt = reachedAt
        self.updatedAt = updatedAt
        self.updatedBy = updatedBy
    }
}

enum BudgetSchema {
    static let table = """
        CREATE TABLE budgets (
            id INTEGER PRIMARY KEY,
            tenant_id INTEGER NOT NULL REFERENCES tenants (id),
            user_id INTEGER REFERENCES users (id),
            session_id TEXT REFERENCES sessions (id) ON DELETE CASCADE,
            period TEXT NOT NULL CHECK (period IN ('day', 'month')),
            limit_nano_usd INTEGER NOT NULL CHECK (limit_nano_usd >= 0),
            is_operators INTEGER NOT NULL CHECK (is_operators IN (0, 1)),
            warned_for TEXT,
            reached_for TEXT,
            reached_at INTEGER,
            updated_at INTEGER NOT NULL,
            updated_by TEXT NOT NULL,
            CHECK (user_id IS NULL OR session_id IS NULL)
        ) STRICT;
        CREATE UNIQUE INDEX budgets_by_scope
            ON budgets (tenant_id, coalesce(user_id, 0), coalesce(session_id, ''), period);
        """
}
