public import Foundation
import Gateway
public import Registry
import SessionCore

/// A budget, and how much of it is used.
public struct BudgetStanding: Sendable, Hashable {
    public enum State: String, Sendable, Hashable {
        case ok, warning, reached
    }

    public var row: BudgetRow
    /// In this period, in nano-USD.
    public var spent: Int64
    /// The period's name: `2026-11-25`, or `2026-11`.
    public var period: String
    /// When the next period begins, and the budget anew.
    public var endsAt: Date

    public init(row: BudgetRow, spent: Int64, at now: Date) {
        self.row = row
        self.spent = spent
        period = row.period.name(of: now)
        endsAt = row.period.end(of: now)
    }

    public var state: State {
        if spent >= row.limit { return .reached }
        // 80 %, without a product that could overflow.
        return spent >= row.limit - row.limit / 5 ? .warning : .ok
    }

    /// Whose it is, in words.
    var owner: String {
        if row.scope.sessionID != nil { return "this session" }
        return row.user.map { "user \($0)" } ?? "tenant \(row.tenant)"
    }

    /// In cents, and what is less than one in more digits: it is not nothing.
    static func usd(_ nano: Int64) -> String {
        String(format: nano > 0 && nano < 10_000_000 ? "%.6f" : "%.2f", Double(nano) / 1e9)
    }

    var sentence: String {
        "the budget of \(owner) for \(period) is used up (\(Self.usd(spent)) of \(Self.usd(row.limit)) USD)"
    }

    /// What a request is told: as the API says that there is no money, which nobody tries again.
    var refusal: Refusal {
        Refusal(
            status: 402, type: "billing_error",
            message:
                "rookery: \(sentence); it begins anew at \(endsAt.formatted(.rookery)), or an administrator raises it "
                + "with 'rookery budget set'")
    }

    /// Of `budget.warning`.
    var data: [String: JSONValue] {
        let scope = row.scope.sessionID != nil ? "session" : row.scope.userID != nil ? "user" : "tenant"
        return [
            "scope": .string(scope), "period": .string(period), "limit_usd": .number(Double(row.limit) / 1e9),
            "spent_usd": .number(Double(spent) / 1e9), "ends_at": .string(endsAt.formatted(.rookery)),
        ]
    }
}
