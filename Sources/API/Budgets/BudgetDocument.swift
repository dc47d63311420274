import Foundation
import Registry
import SessionCore
import Supervisor

/// A budget as lists show it, with what is used of it.
struct BudgetDocument: Encodable, Sendable {
    var id: Int64
    var tenant: String
    var user: String?
    var sessionID: SessionID?
    /// `day` or `month`.
    var period: String
    /// The one that runs: `2026-11-25`, or `2026-11`.
    var current: String
    var endsAt: Date
    var limitUsd: Double
    var spentUsd: Double
    var state: String
    /// Only an operator changes it.
    var operators: Bool
    var updatedAt: Date
    var updatedBy: String

    init(_ standing: BudgetStanding) {
        let row = standing.row
        id = row.id
        tenant = row.tenant
        user = row.user
        sessionID = row.scope.sessionID
        period = row.period.rawValue
        current = standing.period
        endsAt = standing.endsAt
        limitUsd = Double(row.limit) / 1e9
        spentUsd = Double(standing.spent) / 1e9
        state = standing.state.rawValue
        operators = row.isOperators
        updatedAt = row.updatedAt
        updatedBy = row.updatedBy
    }
}
