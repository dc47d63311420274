public import Registry
public import Supervisor

/// What the API asks about budgets: exactly the calls of `BudgetKeeper`.
public protocol BudgetService: Sendable {
    func list(as principal: Principal) async throws(SupervisorError) -> [BudgetStanding]
    func set(
        _ target: BudgetTarget, _ period: BudgetPeriod, limit: Int64, by principal: Principal
    ) async throws(SupervisorError) -> BudgetStanding
    func remove(_ id: Int64, by principal: Principal) async throws(SupervisorError)
}

extension BudgetKeeper: BudgetService {}
