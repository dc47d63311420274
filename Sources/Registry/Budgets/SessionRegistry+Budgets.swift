public import Foundation
import GRDB
import SessionCore

extension SessionRegistry {
    /// Every budget, those of sessions that are deleted left out.
    public func budgets() async throws(RegistryError) -> [BudgetRow] {
        try await read { try Self.budgetRows($0, "sessions.lifecycle IS NULL OR sessions.lifecycle <> 'deleted'", []) }
    }

    /// Puts a budget in the place of the one with its scope and period, and forgets what was said of that.
    /// - Returns: nil when that one is an operator's, and this is not.
    public func setBudget(
        _ scope: BudgetScope, _ period: BudgetPeriod, limit: Int64, isOperators: Bool, by name: String,
        at now: Date = Date()
    ) async throws(RegistryError) -> BudgetRow? {
        try await writeAccounts { database in
            try database.execute(
                sql: """
                    INSERT INTO budgets (tenant_id, user_id, session_id, period, limit_nano_usd, is_operators, updated_at,
                        updated_by)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (tenant_id, coalesce(user_id, 0), coalesce(session_id, ''), period) DO UPDATE SET
                        limit_nano_usd = excluded.limit_nano_usd, is_operators = excluded.is_operators, warned_for = NULL,
                        reached_for = NULL, reached_at = NULL, updated_at = excluded.updated_at,
                        updated_by = excluded.updated_by
                    WHERE excluded.is_operators OR NOT is_operators
                    """,
                arguments: [
                    scope.tenantID, scope.userID, scope.sessionID?.description, period.rawValue, limit, isOperators,
                    now.registryMilliseconds, name,
                ])
            guard database.changesCount == 1 else { return nil }
            let row = try Self.budgetRows(
                database,
                """
                budgets.tenant_id = ? AND coalesce(budgets.user_id, 0) = ? AND coalesce(budgets.session_id, '') = ?
                    AND budgets.period = ?
                """,
                [scope.tenantID, scope.userID ?? 0, scope.sessionID?.description ?? "", period.rawValue]
            ).first
            if let row { try Self.keep(row.audit("budget.set", by: name, at: now), in: database) }
            return row
        }
    }

    public func removeBudget(_ id: Int64, by name: String, at now: Date = Date()) async throws(RegistryError) {
        try await writeAccounts { database in
            guard let row = try Self.budgetRows(database, "budgets.id = ?", [id]).first else { return }
            try Self.keep(row.audit("budget.remove", by: name, at: now), in: database)
            try database.execute(sql: "DELETE FROM budgets WHERE id = ?", arguments: [id])
        }
    }

    /// Keeps what was said of a budget, and when it was used up.
    public func noteBudget(_ row: BudgetRow) async throws(RegistryError) {
        try await write { database in
            try database.execute(
                sql: """
                    UPDATE budgets SET warned_for = ?, reached_for = ?, reached_at = ?
                    WHERE id = ? AND updated_at = ? AND limit_nano_usd = ?
                    """,
                arguments: [
                    row.warnedFor, row.reachedFor, row.reachedAt?.registryMilliseconds, row.id,
                    row.updatedAt.registryMilliseconds, row.limit,
                ])
        }
    }

    /// What a scope spent in a period, in nano-USD.
    /// - Parameter name: the period's; see ``BudgetPeriod/name(of:)``.
    public func spent(
        _ scope: BudgetScope, _ period: BudgetPeriod, named name: String
    ) async throws(RegistryError) -> Int64 {
        let days = period.days(of: name)
        return try await read { database in
            try Int64.fetchOne(
                database,
                sql: """
                    SELECT coalesce(sum(cost_nano_usd), 0) FROM usage
                    WHERE tenant_id = ? AND day >= ? AND day <= ? AND (? IS NULL OR user_id = ?)
                        AND (? IS NULL OR session_id = ?)
                    """,
                arguments: [
                    scope.tenantID, days.first, days.last, scope.userID, scope.userID, scope.sessionID?.description,
                    scope.sessionID?.description,
                ]) ?? 0
        }
    }

    private static func budgetRows(
        _ database: Database, _ condition: String, _ arguments: StatementArguments
    ) throws -> [BudgetRow] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT budgets.*, tenants.name AS tenant, users.name AS user FROM budgets
                JOIN tenants ON tenants.id = budgets.tenant_id LEFT JOIN users ON users.id = budgets.user_id
                LEFT JOIN sessions ON sessions.id = budgets.session_id
                WHERE \(condition) ORDER BY tenants.name, users.name, budgets.session_id, budgets.period
                """,
            arguments: arguments
        ).map { row in
            guard let period = BudgetPeriod(rawValue: row["period"]) else {
                throw RegistryError.corrupt("a budget is for '\(row["period"] as String)'")
            }
            return BudgetRow(
                id: row["id"],
                scope: BudgetScope(
                    tenantID: row["tenant_id"], userID: row["user_id"],
                    sessionID: (row["session_id"] as String?).flatMap { SessionID(parsing: $0) }),
                tenant: row["tenant"], user: row["user"], period: period, limit: row["limit_nano_usd"],
                isOperators: row["is_operators"], warnedFor: row["warned_for"], reachedFor: row["reached_for"],
                reachedAt: (row["reached_at"] as Int64?).map { Date(registryMilliseconds: $0) },
                updatedAt: Date(registryMilliseconds: row["updated_at"]), updatedBy: row["updated_by"])
        }
    }
}

extension BudgetRow {
    fileprivate func audit(_ action: String, by name: String, at now: Date) -> AuditEntry {
        AuditEntry(
            tenantID: scope.tenantID, time: now, actor: name, action: action, session: scope.sessionID,
            detail: [
                "id": .integer(id), "tenant": .string(tenant), "user": user.map { .string($0) } ?? .null,
                "period": .string(period.rawValue), "limit_usd": .number(Double(limit) / 1e9),
            ])
    }
}
