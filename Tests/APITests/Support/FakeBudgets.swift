import Foundation
import Registry
import Supervisor

@testable import API

/// Budgets that are kept nowhere.
struct FakeBudgets: BudgetService {
    static func standing(_ scope: BudgetScope = BudgetScope(tenantID: 1), limit: Int64 = 5_000_000_000)
        -> BudgetStanding
    {
        let time = Date(timeIntervalSince1970: 1_000_000)
        return BudgetStanding(
            row: BudgetRow(
                id: 7, scope: scope, tenant: "default", user: nil, period: .month, limit: limit, isOperators: false,
                updatedAt: time, updatedBy: "admin"),
            spent: 4_000_000_000, at: time)
    }

    func list(as principal: Principal) async throws(SupervisorError) -> [BudgetStanding] { [Self.standing()] }

    func set(
        _ target: BudgetTarget, _ period: BudgetPeriod, limit: Int64, by principal: Principal
    ) async throws(SupervisorError) -> BudgetStanding {
        Self.standing(BudgetScope(tenantID: 1, sessionID: target.session), limit: limit)
    }

    func remove(_ id: Int64, by principal: Principal) async throws(SupervisorError) {
        guard id == 7 else { throw SupervisorError(.notFound, "there is no budget \(id)") }
    }
}
