import Foundation
import Logging
import Registry
import SessionCore
import WorkerControl

/// A session that is to be started again by the supervisor itself.
struct PendingRestart {
    /// Of the incarnation that ended: whoever started or ended the session meanwhile makes this void.
    var incarnation: Int
    var due: MonotonicTime
    /// Its place among those that are due.
    var order: Int
    var reason: Reason
    var detail: String
}

extension SessionSupervisor {
    /// Has a session that is parked, and should run, started again: after a pause that grows, a few side by side, and
    /// not more often in a row than the configuration says.
    func startAgainLater(_ entry: SessionEntry, reason: Reason, detail: String) async {
        guard let delay = entry.restarts.next(configuration.restartDelays) else {
            return await giveUp(entry, detail)
        }
        put(entry, reason: reason, detail: detail, after: delay)
    }

    private func put(_ entry: SessionEntry, reason: Reason, detail: String, after delay: Duration) {
        nextRestart += 1
        restarts[entry.id] = PendingRestart(
            incarnation: entry.record.incarnation, due: clock.monotonic() + delay / .seconds(1), order: nextRestart,
            reason: reason, detail: detail)
        Task {
            if delay > .zero { try? await clock.sleep(delay) }
            startDue()
        }
    }

    /// Starts what is due, as far as there is room beside what is being started.
    func startDue() {
        guard phase == .running else { return }
        let now = clock.monotonic()
        while restarting.count < configuration.startsAtOnce {
            let due = restarts.filter { $0.value.due <= now && !restarting.contains($0.key) }
            guard let (id, restart) = due.min(by: { ($0.value.due, $0.value.order) < ($1.value.due, $1.value.order) })
            else { return }
            restarts[id] = nil
            restarting.insert(id)
            Task {
                await self.carryOut(restart, of: id)
                restarting.remove(id)
                startDue()
            }
        }
    }

    private func carryOut(_ restart: PendingRestart, of id: SessionID) async {
        do throws(SupervisorError) {
            try await exclusively(id) { (supervisor, entry) async throws(SupervisorError) in
                let record = entry.record
                guard record.incarnation == restart.incarnation, record.lifecycle == .parked,
                    record.desired == .running
                else { return }
                do throws(SupervisorError) {
                    try await supervisor.startAgain(
                        entry, actor: Self.ownName, because: restart.reason, detail: restart.detail)
                    supervisor.noteRecovery(id, .resumed, restart.detail)
                } catch {
                    await supervisor.restartFailed(entry, restart, error)
                }
            }
        } catch {
            logger.error("a session is not started again", metadata: ["session": "\(id)", "error": "\(error.detail)"])
        }
    }

    /// The caller holds the lock. A launch that failed has put the session back to parked.
    private func restartFailed(_ entry: SessionEntry, _ restart: PendingRestart, _ error: SupervisorError) async {
        guard phase == .running else { return }
        logger.warning(
            "a session does not start again", metadata: ["session": "\(entry.id)", "error": "\(error.detail)"])
        switch error.code {
        case .unavailable:
            // The launcher: nothing was tried.
            put(entry, reason: restart.reason, detail: restart.detail, after: .seconds(1))
        case .full, .invalid:
            // Its next message wakes it, when there is room.
            let updated = try? await registry.intend(
                .parked, for: entry.id, in: entry.record.incarnation, at: clock.now())
            if let record = updated ?? nil { entry.record = record }
            noteRecovery(entry.id, .failed, "\(error.detail); its next message wakes it")
        default:
            await startAgainLater(entry, reason: restart.reason, detail: error.detail)
        }
    }

    /// It was started as often as helps. Only somebody who knows more starts it now.
    private func giveUp(_ entry: SessionEntry, _ detail: String) async {
        let count = configuration.restartDelays.count
        let text = "it was started again \(count) times in a row and did not stay up: \(detail)"
        noteRecovery(entry.id, .failed, text)
        do throws(SupervisorError) {
            try await commit(
                entry,
                SessionTransition(
                    from: [.parked], incarnation: entry.record.incarnation, to: .failed, desired: .stopped,
                    reason: .crashed, detail: text, actor: Self.ownName, lastSequence: entry.lastSequence,
                    time: clock.now()))
        } catch {
            logger.error("a failure is not written", metadata: ["session": "\(entry.id)", "error": "\(error.detail)"])
        }
    }
}
