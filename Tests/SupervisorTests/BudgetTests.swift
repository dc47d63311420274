import Foundation
import Gateway
import Logging
import Registry
import SessionCore
import Testing
import WorkerControl

@testable import Supervisor

/// What may be spent, and what becomes of sessions when it is.
struct BudgetTests {
    private static let dollar: Int64 = 1_000_000_000

    private struct Spending {
        let box: Box
        let keeper: BudgetKeeper
        let ledger: RegistryLedger
        let admin: Principal

        init(_ box: Box) async throws {
            self.box = box
            let clock = box.clock
            keeper = BudgetKeeper(
                registry: box.registry, enforcement: box.supervisor,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                clock: SupervisorClock(
                    now: { clock.now }, monotonic: { clock.monotonic }, sleep: { try await Task.sleep(for: $0) }))
            ledger = RegistryLedger(box.registry, budgets: keeper)
            admin = try await box.someone("root", role: .admin)
            await keeper.start()
        }

        func spend(_ usd: Double, by id: SessionID) async throws {
            try await ledger.record(
                ModelRequestRecord(
                    session: try uuid(id), method: "POST", path: "/v1/messages", outcome: .complete, model: "m",
                    status: 200, usage: .none, cost: Int64(usd * 1e9), startedAt: box.clock.now))
        }

        /// What a request is told; nil: it may go on.
        func refusal(of id: SessionID) async throws -> Refusal? {
            let session = try uuid(id)
            do throws(Refusal) {
                try await keeper.admit(session)
                return nil
            } catch {
                return error
            }
        }

        private func uuid(_ id: SessionID) throws -> UUID { try #require(UUID(uuidString: id.description)) }
    }

    @Test(
        arguments: [(0, "0.00"), (310_000, "0.000310"), (10_000_000, "0.01"), (1_010_000_000, "1.01")]
            as [(Int64, String)])
    func lessThanACentIsNotNothing(nano: Int64, text: String) { #expect(BudgetStanding.usd(nano) == text) }

    @Test(
        arguments: [
            (100, 0, "ok"), (100, 79, "ok"), (100, 80, "warning"), (100, 99, "warning"), (100, 100, "reached"),
            (100, 900, "reached"), (0, 0, "reached"), (1, 0, "ok"), (1, 1, "reached"), (.max, 0, "ok"),
        ] as [(Int64, Int64, String)])
    func mostOfItIsFourFifths(limit: Int64, spent: Int64, state: String) {
        let row = BudgetRow(
            id: 1, scope: BudgetScope(tenantID: 1), tenant: "t", user: nil, period: .day, limit: limit,
            isOperators: false, updatedAt: Date(), updatedBy: "x")
        #expect(BudgetStanding(row: row, spent: spent, at: Date()).state.rawValue == state)
    }

    @Test(
        arguments: [
            (.day, "2026-11-25T23:59:59Z", "2026-11-25", "2026-11-26T00:00:00Z"),
            (.day, "2026-12-31T00:00:00Z", "2026-12-31", "2027-01-01T00:00:00Z"),
            (.month, "2026-11-25T12:00:00Z", "2026-11", "2026-12-01T00:00:00Z"),
            (.month, "2028-02-29T23:59:59Z", "2028-02", "2028-03-01T00:00:00Z"),
            (.month, "2026-12-01T00:00:00Z", "2026-12", "2027-01-01T00:00:00Z"),
        ] as [(BudgetPeriod, String, String, String)])
    func periodsAreDaysAndMonthsOfUTC(period: BudgetPeriod, time: String, name: String, end: String) throws {
        let time = try Date(time, strategy: .iso8601)
        #expect(period.name(of: time) == name)
        #expect(period.end(of: time) == (try Date(end, strategy: .iso8601)))
    }

    @Test func aRunningTurnMayFinishAndThenItsSessionIsParked() async throws {
        try await Box.with { box in
            let spending = try await Spending(box)
            let id = try await box.create()
            let worker = try box.worker(id)
            _ = try await spending.keeper.set(
                BudgetTarget(session: id), .day, limit: Self.dollar, by: spending.admin)
            worker.become(.working)
            try await eventually("work") {
                await box.supervisor.activity(of: id) == .working ? true : nil
            }
            try await spending.spend(0.79, by: id)
            #expect(!worker.recorded.contains(.budgetWarning))
            try await spending.spend(0.02, by: id)
            try await eventually("the warning") { worker.recorded.contains(.budgetWarning) ? true : nil }
            try await spending.spend(0.1, by: id)
            #expect(try await spending.refusal(of: id) == nil)
            try await spending.spend(0.1, by: id)
            // Used up: the turn goes on, whatever it still costs.
            try await eventually("the last turn") {
                await box.supervisor.finishesTurn(try #require(UUID(uuidString: id.description))) ? true : nil
            }
            #expect(try await spending.refusal(of: id) == nil)
            try await spending.spend(3, by: id)
            #expect(try await spending.refusal(of: id) == nil)
            await box.tick()
            #expect(try await box.record(id).lifecycle == .running)
            worker.become(.idle)
            let record = try await box.waitFor(id, .parked)
            #expect(record.reason == .budget)
            #expect(record.detail?.contains("1.01 of 1.00 USD") == true)
            #expect(worker.recorded.filter { $0 == .budgetWarning }.count == 1)

            // It may be looked at again; it has nothing to spend.
            _ = try await box.supervisor.resume(id, by: box.alice)
            let refusal = try #require(try await spending.refusal(of: id))
            #expect(refusal.status == 402)
            #expect(refusal.type == "billing_error")
            #expect(refusal.message.contains("this session"))
            await box.tick()
            #expect(try await box.record(id).lifecycle == .running)
            // Raised: from the next request on.
            _ = try await spending.keeper.set(
                BudgetTarget(session: id), .day, limit: 100 * Self.dollar, by: spending.admin)
            #expect(try await spending.refusal(of: id) == nil)
        }
    }

    @Test func aStructuredSessionsNextPromptIsNoPartOfTheTurn() async throws {
        try await Box.with { box in
            let spending = try await Spending(box)
            let id = try await box.create()
            let worker = try box.worker(id)
            _ = try await spending.keeper.set(BudgetTarget(session: id), .day, limit: Self.dollar, by: spending.admin)
            worker.become(.working)
            try await eventually("work") {
                await box.supervisor.activity(of: id) == .working ? true : nil
            }
            try await spending.spend(2, by: id)
            try await eventually("the last turn") {
                await box.supervisor.finishesTurn(try #require(UUID(uuidString: id.description))) ? true : nil
            }
            // The next one begins without a pause between.
            worker.emit(.turnCompleted)
            worker.emit(.turnStarted)
            #expect(try await box.waitFor(id, .parked).reason == .budget)
            #expect(try await spending.refusal(of: id) != nil)
        }
    }

    @Test func aBudgetCoversItsUserAndNobodyElse() async throws {
        try await Box.with { box in
            let spending = try await Spending(box)
            let bob = try await box.someone("bob")
            let eve = try await box.someone("eve", in: "other")
            let (first, second) = (try await box.create(), try await box.create())
            let (bobs, eves) = (try await box.create(by: bob), try await box.create(by: eve))
            _ = try await spending.keeper.set(
                BudgetTarget(user: box.alice.name), .month, limit: Self.dollar, by: spending.admin)
            try await spending.spend(0.6, by: first)
            try await spending.spend(5, by: bobs)
            try await spending.spend(5, by: eves)
            #expect(try await spending.refusal(of: second) == nil)
            try await spending.spend(0.6, by: second)
            // Idle ones are parked at once.
            #expect(try await box.waitFor(first, .parked).reason == .budget)
            #expect(try await box.waitFor(second, .parked).reason == .budget)
            #expect(try await spending.refusal(of: first)?.message.contains("user alice") == true)
            for id in [bobs, eves] { #expect(try await spending.refusal(of: id) == nil) }
            #expect(try await box.supervisor.session(bobs, as: bob).record.lifecycle == .running)
            // The tenant's covers both, and not the other's.
            _ = try await spending.keeper.set(BudgetTarget(), .month, limit: Self.dollar, by: spending.admin)
            #expect(try await spending.refusal(of: bobs)?.message.contains("tenant default") == true)
            #expect(try await spending.refusal(of: eves) == nil)
        }
    }

    @Test func aSupervisorThatStartsKnowsWhatWasUsedUp() async throws {
        try await Box.with { box in
            let id = try await box.create()
            let worker = try box.worker(id)
            do {
                let spending = try await Spending(box)
                _ = try await spending.keeper.set(BudgetTarget(), .day, limit: Self.dollar, by: spending.admin)
                try await spending.spend(0.9, by: id)
                try await eventually("the warning") {
                    worker.recorded.contains(.budgetWarning) ? true : nil
                }
                try await eventually("the note") {
                    try await box.registry.budgets().first?.warnedFor == nil ? nil : true
                }
            }
            // Booked by one that did not live to look at it.
            let time = box.clock.now
            _ = try await box.registry.book([
                LoggedRequest(
                    id: UUID(), sessionID: id, method: "POST", path: "/v1/messages", outcome: "complete", model: "m",
                    status: 200, requestID: nil,
                    tokens: TokenCounts(input: 1, output: 1, cacheRead: 0, cacheWrite: 0, cost: Self.dollar),
                    startedAt: time, firstByteAt: nil, endedAt: nil)
            ])
            let next = try await Spending(box)
            #expect(try await box.waitFor(id, .parked).reason == .budget)
            #expect(try await next.refusal(of: id) != nil)
            #expect(worker.recorded.filter { $0 == .budgetWarning }.count == 1)
            // Another day.
            box.clock.advance(86_400)
            #expect(try await next.refusal(of: id) == nil)
            #expect(try await next.keeper.list(as: next.admin).map(\.spent) == [0])
        }
    }

    @Test func whoMaySetAndSee() async throws {
        try await Box.with { box in
            let spending = try await Spending(box)
            let keeper = spending.keeper
            let other = try await box.someone("boss", in: "other", role: .admin)
            let root = try await box.someone("op", role: .operator)
            let id = try await box.create()
            let mine = try await keeper.set(BudgetTarget(), .day, limit: 1, by: spending.admin)
            #expect(try await keeper.list(as: other).isEmpty)
            for target in [BudgetTarget(tenant: "default"), BudgetTarget(user: "alice"), BudgetTarget(session: id)] {
                let error = await refusal { _ = try await keeper.set(target, .day, limit: 1, by: other) }
                #expect(error?.code == .notFound)
            }
            #expect(await refusal { try await keeper.remove(mine.row.id, by: other) }?.code == .notFound)
            let theirs = try await keeper.set(BudgetTarget(tenant: "default"), .day, limit: 5, by: root)
            #expect(theirs.row.id == mine.row.id)
            #expect(
                await refusal { _ = try await keeper.set(BudgetTarget(), .day, limit: 9, by: spending.admin) }?.code
                    == .forbidden)
            #expect(await refusal { try await keeper.remove(mine.row.id, by: spending.admin) }?.code == .forbidden)
            #expect(try await keeper.list(as: spending.admin).map(\.row.limit) == [5])
            try await keeper.remove(mine.row.id, by: root)
            #expect(try await keeper.list(as: root).isEmpty)
        }
    }
}

extension SessionSupervisor {
    fileprivate func activity(of id: SessionID) -> Activity? { entries[id]?.status?.activity }
}
