public import Foundation
import Logging
import Registry
import SessionCore
import WorkerControl

/// What budgets do to sessions: a warning, a last turn, and the parking.
extension SessionSupervisor: BudgetEnforcement {
    public func warn(of standing: BudgetStanding) async {
        let told = running(under: standing).map { entry in
            Task { await tell(entry, .budgetWarning, standing.data) }
        }
        for task in told { await task.value }
    }

    public func enforce(_ standing: BudgetStanding) async {
        for entry in running(under: standing) {
            // One that was started since was told no from its first request on: it is left to whoever looks at it.
            guard entry.record.startedAt ?? .distantPast <= standing.row.reachedAt ?? .distantFuture else { continue }
            entry.spentBudget = standing
            // A turn that has just begun may not be known yet: the answer to that comes with the parking.
            if !isInLastTurn(entry) { Task { await self.parkForBudget(entry) } }
        }
    }

    public func lift(_ budget: Int64) {
        for entry in entries.values where entry.spentBudget?.row.id == budget { entry.spentBudget = nil }
    }

    public func finishesTurn(_ session: UUID) -> Bool {
        guard let entry = entries[SessionID(session)], entry.spentBudget != nil, entry.record.lifecycle == .running
        else { return false }
        return isInLastTurn(entry)
    }

    private func running(under standing: BudgetStanding) -> [SessionEntry] {
        entries.values.filter { entry in
            let record = entry.record
            return record.lifecycle == .running
                && standing.row.scope.covers(
                    record.id, of: CredentialOwner(tenantID: record.tenantID, userID: record.ownerID))
        }
    }

    func isInLastTurn(_ entry: SessionEntry) -> Bool {
        !entry.turnIsOver && (entry.status?.activity ?? .idle) != .idle
    }

    func watchLastTurn(_ event: SessionEvent, of entry: SessionEntry) {
        if event.type == .turnCompleted { entry.turnIsOver = true }
        guard event.type == .turnCompleted || event.type == .sessionActivity, !isInLastTurn(entry) else { return }
        Task { await self.parkForBudget(entry) }
    }

    func parkForBudget(_ entry: SessionEntry) async {
        let incarnation = entry.record.incarnation
        do throws(SupervisorError) {
            try await exclusively(entry.id) { (supervisor, entry) async throws(SupervisorError) in
                guard entry.record.incarnation == incarnation, entry.record.lifecycle == .running, entry.end == nil,
                    let standing = entry.spentBudget
                else { return }
                // Another day has come while it worked.
                guard supervisor.clock.now() < standing.endsAt else { return entry.spentBudget = nil }
                await supervisor.refresh(entry, within: supervisor.configuration.replyLimit)
                guard !supervisor.isInLastTurn(entry) else { return }
                try await supervisor.endIncarnation(
                    entry, to: .parked, reason: .budget, detail: standing.sentence, actor: Self.ownName)
            }
        } catch {
            logger.error(
                "a session without a budget is not parked",
                metadata: ["session": "\(entry.id)", "error": "\(error.detail)"])
        }
    }
}
