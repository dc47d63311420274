public import Foundation
public import Gateway
public import Logging
public import Registry
public import SessionCore

/// Whoever can reach the sessions that a budget is about.
public protocol BudgetEnforcement: Sendable {
    /// Tells running sessions that most of it is used.
    func warn(of standing: BudgetStanding) async
    /// Has sessions that were started before it was used up finish their turn, and parks them.
    func enforce(_ standing: BudgetStanding) async
    /// It is another now, or gone.
    func lift(_ budget: Int64) async
    /// Whether a session is in the turn that it was in when a budget of its was used up.
    func finishesTurn(_ session: UUID) async -> Bool
}

/// Knows what may be spent and what is, and says no when nothing is left.
///
/// What is spent comes from the accounts alone, so that it is right after any restart. A budget is looked at again when a
/// request of its scope was booked, and when its period is over.
public actor BudgetKeeper: ModelBudget {
    private let registry: SessionRegistry
    private let enforcement: any BudgetEnforcement
    private let logger: Logger
    private let clock: SupervisorClock

    private var standings: [Int64: BudgetStanding]?
    /// Rises with every change, so that what was read before it is known to be old.
    private var changes = 0
    private let owners: SessionOwners
    /// What was said or written of a budget, in the order of its happening.
    private var telling: Task<Void, Never>?

    public init(
        registry: SessionRegistry, enforcement: any BudgetEnforcement, logger: Logger, clock: SupervisorClock = .system
    ) {
        self.registry = registry
        self.enforcement = enforcement
        self.logger = logger
        self.clock = clock
        owners = SessionOwners(registry)
    }

    /// Takes up what was left: to be called when the sessions that run are known.
    public func start() async {
        do throws(RegistryError) {
            for id in try await loaded().keys {
                guard let standing = try await look(at: id), standing.state == .reached else { continue }
                await enforcement.enforce(standing)
            }
        } catch {
            // Requests are refused until they can be.
            logger.error("budgets cannot be read", metadata: ["error": "\(error)"])
        }
    }

    // MARK: - For the gateway

    public func admit(_ session: UUID) async throws(Refusal) {
        let empty: BudgetStanding?
        do throws(RegistryError) { empty = try await used(up: session) } catch { throw .uncounted }
        guard let empty else { return }
        if await enforcement.finishesTurn(session) { return }
        throw empty.refusal
    }

    private func used(up session: UUID) async throws(RegistryError) -> BudgetStanding? {
        guard try await !loaded().isEmpty else { return nil }
        for budget in try await covering(SessionID(session)) {
            // Another day may have come.
            let isOld = standings?[budget].map { clock.now() >= $0.endsAt } ?? true
            let standing = isOld ? try await look(at: budget) : standings?[budget]
            if let standing, standing.state == .reached { return standing }
        }
        return nil
    }

    /// What these sessions used has changed. Returns when that was looked at: their next request finds it so.
    func booked(_ sessions: Set<SessionID>) async {
        do throws(RegistryError) {
            guard try await !loaded().isEmpty else { return }
            var budgets: Set<Int64> = []
            for session in sessions { budgets.formUnion(try await covering(session)) }
            for budget in budgets { try await look(at: budget) }
        } catch {
            logger.error("a budget cannot be looked at", metadata: ["error": "\(error)"])
        }
    }

    // MARK: - Standings

    private func loaded() async throws(RegistryError) -> [Int64: BudgetStanding] {
        while true {
            if let standings { return standings }
            let mark = changes
            var found: [Int64: BudgetStanding] = [:]
            for row in try await registry.budgets() { found[row.id] = try await standing(of: row) }
            if standings == nil, mark == changes { standings = found }
        }
    }

    private func standing(of row: BudgetRow) async throws(RegistryError) -> BudgetStanding {
        let now = clock.now()
        let spent = try await registry.spent(row.scope, row.period, named: row.period.name(of: now))
        return BudgetStanding(row: row, spent: spent, at: now)
    }

    private func covering(_ session: SessionID) async throws(RegistryError) -> [Int64] {
        guard let owner = try await owners.owner(of: session) else { return [] }
        return try await loaded().values.filter { $0.row.scope.covers(session, of: owner) }.map(\.row.id)
    }

    /// Reads what is spent by now, and sees to what follows.
    @discardableResult
    private func look(at id: Int64) async throws(RegistryError) -> BudgetStanding? {
        guard let row = standings?[id]?.row else { return nil }
        let fresh = try await standing(of: row)
        // Set anew meanwhile: then it was looked at by whoever did.
        guard var standing = standings?[id], standing.row.updatedAt == row.updatedAt else { return standings?[id] }
        standing.spent = fresh.period == standing.period ? max(fresh.spent, standing.spent) : fresh.spent
        standing.period = fresh.period
        standing.endsAt = fresh.endsAt
        let isNear = standing.state != .ok && standing.row.warnedFor != standing.period
        let isFull = standing.state == .reached && standing.row.reachedFor != standing.period
        if isNear { standing.row.warnedFor = standing.period }
        if isFull {
            standing.row.reachedFor = standing.period
            standing.row.reachedAt = clock.now()
        }
        standings?[id] = standing
        if isNear || isFull { tell(standing, warns: isNear, enforces: isFull) }
        return standing
    }

    /// Said first and written down then: it may be said twice, and is never kept quiet.
    private func tell(_ standing: BudgetStanding, warns: Bool, enforces: Bool) {
        logger.notice(
            "budget \(standing.state.rawValue)",
            metadata: [
                "tenant": "\(standing.row.tenant)", "budget": "\(standing.row.id)", "period": "\(standing.period)",
            ])
        let before = telling
        telling = Task {
            await before?.value
            if warns { await enforcement.warn(of: standing) }
            if enforces { await enforcement.enforce(standing) }
            do throws(RegistryError) { try await registry.noteBudget(standing.row) } catch {
                logger.error("what was said of a budget is not written down", metadata: ["error": "\(error)"])
            }
        }
    }

    private func changed() {
        changes += 1
        standings = nil
    }

    // MARK: - For the API

    /// Those of the caller's tenant; an operator's: all.
    public func list(as principal: Principal) async throws(SupervisorError) -> [BudgetStanding] {
        let ids = try await stored { () async throws(RegistryError) in try await self.loaded().keys.sorted() }
        var found: [BudgetStanding] = []
        for id in ids {
            guard let row = standings?[id]?.row, principal.role == .operator || row.scope.tenantID == principal.tenantID
            else { continue }
            let standing = try await stored { () async throws(RegistryError) in try await self.look(at: id) }
            if let standing { found.append(standing) }
        }
        return found
    }

    /// Sets what may be spent. It counts from the next request.
    /// - Parameter limit: in nano-USD.
    public func set(
        _ target: BudgetTarget, _ period: BudgetPeriod, limit: Int64, by principal: Principal
    ) async throws(SupervisorError) -> BudgetStanding {
        let scope = try await self.scope(target, principal)
        let isOperators = principal.role == .operator
        let row = try await stored { () async throws(RegistryError) in
            try await self.registry.setBudget(
                scope, period, limit: limit, isOperators: isOperators, by: principal.name, at: self.clock.now())
        }
        guard let row else {
            throw SupervisorError(.forbidden, "an operator set this budget: only an operator changes it")
        }
        changed()
        await enforcement.lift(row.id)
        logger.notice(
            "budget set",
            metadata: [
                "tenant": "\(row.tenant)", "budget": "\(row.id)", "usd": "\(Double(limit) / 1e9)",
                "by": "\(principal.name)",
            ])
        return try await stored { () async throws(RegistryError) in
            _ = try await self.loaded()
            if let standing = try await self.look(at: row.id) { return standing }
            return try await self.standing(of: row)
        }
    }

    public func remove(_ id: Int64, by principal: Principal) async throws(SupervisorError) {
        let known = try await stored { () async throws(RegistryError) in try await self.loaded()[id]?.row }
        guard let known, principal.role == .operator || known.scope.tenantID == principal.tenantID else {
            throw SupervisorError(.notFound, "there is no budget \(id)")
        }
        guard principal.role == .operator || !known.isOperators else {
            throw SupervisorError(.forbidden, "an operator set this budget: only an operator removes it")
        }
        try await stored { () async throws(RegistryError) in
            try await self.registry.removeBudget(id, by: principal.name, at: self.clock.now())
        }
        changed()
        await enforcement.lift(id)
        logger.notice("budget removed", metadata: ["budget": "\(id)", "by": "\(principal.name)"])
    }

    private func scope(_ target: BudgetTarget, _ principal: Principal) async throws(SupervisorError) -> BudgetScope {
        if let session = target.session {
            let owner = try await stored { () async throws(RegistryError) in try await self.registry.owner(of: session)
            }
            guard let owner, principal.role == .operator || owner.tenantID == principal.tenantID else {
                throw SupervisorError(.notFound, "there is no session \(session)")
            }
            return BudgetScope(tenantID: owner.tenantID, sessionID: session)
        }
        let owner = try await registry.owner(tenant: target.tenant, user: target.user, asked: principal)
        return BudgetScope(tenantID: owner.tenantID, userID: owner.userID)
    }
}

/// Whose budget is meant: a session's, a user's, or else a tenant's, the caller's own where none is named.
public struct BudgetTarget: Sendable, Hashable {
    public var tenant: String?
    public var user: String?
    public var session: SessionID?

    public init(tenant: String? = nil, user: String? = nil, session: SessionID? = nil) {
        self.tenant = tenant
        self.user = user
        self.session = session
    }
}
