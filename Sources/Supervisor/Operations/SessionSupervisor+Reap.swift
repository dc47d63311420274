import Foundation
import Logging
import Registry
import SessionCore
import WorkerControl

extension SessionSupervisor {
    func startReaper() {
        reaper = Task {
            while !Task.isCancelled {
                do { try await clock.sleep(configuration.tick) } catch { return }
                self.tick()
            }
        }
    }

    /// Looks at every running session once. What follows is done session by session, beside each other: one that
    /// takes its time to end holds up no other.
    @discardableResult
    func tick() -> [Task<Void, Never>] {
        let now = clock.monotonic()
        var tasks: [Task<Void, Never>] = []
        for id in abandoned {
            abandoned.remove(id)
            tasks.append(Task { if !(await self.forget(id)) { self.abandoned.insert(id) } })
        }
        for entry in entries.values where entry.record.lifecycle.hasIncarnation && !entry.reaping {
            if entry.end != nil {
                // Its end could not be written when it came.
                guard entry.lock.isFree else { continue }
                entry.reaping = true
                tasks.append(
                    Task {
                        await self.concludeAlone(entry, incarnation: entry.record.incarnation)
                        entry.reaping = false
                    })
                continue
            }
            guard entry.record.lifecycle == .running else { continue }
            watchMemory(entry, now: now).map { tasks.append($0) }
            if entry.spentBudget != nil, !isInLastTurn(entry) { tasks.append(Task { await self.parkForBudget(entry) }) }
            let rule = rule(entry)
            let deadline = rule?.deadline
            if entry.warnedOf != nil, deadline != entry.warnedOf { entry.warnedOf = nil }
            let isDue = deadline.map { now >= $0.at || (now >= $0.warnsAt && entry.warnedOf == nil) } ?? false
            let isStale = now.since(entry.statusAt) >= configuration.pollInterval
            let freezes = shouldFreeze(entry, now: now)
            guard isDue || isStale || freezes else { continue }
            entry.reaping = true
            tasks.append(
                Task {
                    await self.look(at: entry, isDue: isDue)
                    if freezes { await self.freeze(entry) }
                    entry.reaping = false
                })
        }
        return tasks
    }

    private func look(at entry: SessionEntry, isDue: Bool) async {
        // Keystrokes that went straight to the worker are not known here: never act on what is remembered.
        let isFresh = await refresh(entry, within: configuration.replyLimit)
        guard isDue, isFresh, let deadline = rule(entry)?.deadline else { return }
        let now = clock.monotonic()
        if now >= deadline.at {
            await reap(entry, incarnation: entry.record.incarnation)
        } else if now >= deadline.warnsAt, entry.warnedOf != deadline {
            entry.warnedOf = deadline
            await tell(
                entry, .sessionReapWarning,
                [
                    "at": .string(date(of: deadline.at).formatted(.rookery)),
                    "reason": .string(deadline.reason.rawValue),
                ])
        }
    }

    private func reap(_ entry: SessionEntry, incarnation: Int) async {
        do throws(SupervisorError) {
            try await exclusively(entry.id) { (supervisor, entry) async throws(SupervisorError) in
                guard entry.record.incarnation == incarnation, entry.record.lifecycle == .running else { return }
                // Somebody may have typed while we waited for the lock.
                guard await supervisor.refresh(entry, within: supervisor.configuration.replyLimit),
                    let deadline = supervisor.rule(entry)?.deadline,
                    supervisor.clock.monotonic() >= deadline.at
                else { return }
                try await supervisor.endIncarnation(
                    entry, to: .parked, reason: deadline.reason, actor: Self.ownName)
            }
        } catch {
            logger.error(
                "an idle session is not parked", metadata: ["session": "\(entry.id)", "error": "\(error.detail)"])
        }
    }
}
