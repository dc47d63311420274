import Foundation
import Logging
import Registry
import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// Numbers skip this much after an incarnation whose last number is not known, so that none is used twice.
    static let sequenceJump: UInt64 = 1 << 20

    /// Ends a running incarnation and leaves the session in `to`. The caller holds the lock.
    /// - Parameter returns: it is started again right after: that stays written, and its clients are told to come back.
    func endIncarnation(
        _ entry: SessionEntry, to: Lifecycle, reason: Reason, detail: String? = nil, actor: String,
        returns: Bool = false
    ) async throws(SupervisorError) {
        let transient: Lifecycle = to == .parked ? .parking : .stopping
        let desired: DesiredState = to == .parked ? .parked : .stopped
        let incarnation = entry.record.incarnation
        let ending = try await commit(
            entry,
            SessionTransition(
                from: [.running, .parking, .stopping], incarnation: incarnation, to: transient,
                desired: returns || entry.record.desired == .deleted ? nil : desired,
                reason: reason, actor: actor, takesNumber: false, time: clock.now()))
        guard ending != nil else {
            throw SupervisorError(.wrongState, "session \(entry.id) does not run any more")
        }
        let grace = policy(of: entry.record).idle.grace
        await tell(
            entry, transient.event,
            ["lifecycle": .string(transient.rawValue), "reason": .string(reason.rawValue), "by": .string(actor)])
        if let connection = entry.connection, entry.end == nil {
            do {
                _ = try await connection.send(
                    .stop(grace: grace.seconds, returns: returns ? true : nil), within: configuration.replyLimit)
                await awaitEnd(entry, within: grace.duration + configuration.stopSlack)
            } catch {
                // The launcher's clean ends it then.
                logger.warning(
                    "a worker does not take the stop", metadata: ["session": "\(entry.id)", "error": "\(error)"])
            }
        }
        try await conclude(entry, to: to, reason: reason, detail: detail, actor: actor, isWanted: returns)
    }

    /// Returns when the incarnation is over, or the time is.
    private func awaitEnd(_ entry: SessionEntry, within limit: Duration) async {
        guard entry.end == nil else { return }
        let token = UUID()
        let timer = Task {
            do { try await Task.sleep(for: limit) } catch { return }
            self.giveUp(entry, token)
        }
        await withCheckedContinuation { entry.endWaiters[token] = $0 }
        timer.cancel()
    }

    private func giveUp(_ entry: SessionEntry, _ token: UUID) {
        entry.endWaiters.removeValue(forKey: token)?.resume()
    }

    /// Writes down that the incarnation is over, after everything of it is gone. The caller holds the lock.
    /// - Parameter isWanted: it is to run again: that stays written, so that a next supervisor knows it too.
    func conclude(
        _ entry: SessionEntry, to: Lifecycle, reason: Reason, detail: String?, actor: String, isWanted: Bool = false
    ) async throws(SupervisorError) {
        let incarnation = entry.record.incarnation
        // Stops the worker's notices: from here on numbers are ours.
        entry.pump?.cancel()
        let connection = entry.connection
        entry.connection = nil
        await connection?.close()
        await clean(entry.id)
        var last = entry.lastSequence
        if case .told(let end) = entry.end {
            last = max(last, end.lastSequence)
        } else {
            last += Self.sequenceJump
        }
        var changes = SessionChanges()
        changes.worker = .some(nil)
        changes.lastActivityAt = entry.status.map { max($0.activitySince, $0.lastInput ?? $0.activitySince) }
        changes.size = entry.status?.size
        changes.cgroups = [:]
        try await commit(
            entry,
            SessionTransition(
                from: [.starting, .running, .parking, .stopping], incarnation: incarnation, to: to,
                desired: isWanted || entry.record.desired != .running ? nil : to == .parked ? .parked : .stopped,
                reason: reason,
                detail: detail, actor: actor, lastSequence: last, time: clock.now(), changes: changes))
        admission.release(entry.id)
        entry.reset()
    }

    /// The incarnation ended by itself: after a crash, an exit, the kernel's kill.
    func concludeAlone(_ entry: SessionEntry, incarnation: Int) async {
        do throws(SupervisorError) {
            try await exclusively(entry.id) { (supervisor, entry) async throws(SupervisorError) in
                guard entry.record.incarnation == incarnation, entry.record.lifecycle.hasIncarnation else { return }
                try await supervisor.settle(entry)
            }
        } catch {
            // The registry cannot be written: the reaper tries again, and so does the next operation.
            logger.error(
                "the end of a session is not written yet",
                metadata: ["session": "\(entry.id)", "error": "\(error.detail)"])
        }
    }

    /// Writes down an end that has come and was not yet. Every operation begins with this.
    func settle(_ entry: SessionEntry) async throws(SupervisorError) {
        if entry.record.lifecycle == .starting {
            // Whoever starts a session holds its lock to the end: this start was given up and not written down.
            return try await conclude(
                entry, to: .failed, reason: .launchFailed, detail: "its start was not finished", actor: Self.ownName)
        }
        guard let end = entry.end, entry.record.lifecycle.hasIncarnation else { return }
        if case .lost(let detail) = end, entry.record.lifecycle == .running, entry.record.desired == .running {
            return try await startAnew(entry, detail)
        }
        let cause = await cause(of: end, entry)
        if case .told(let told) = end, told.exit?.code == nil, !told.requested, cause.reason == .crashed,
            entry.record.lifecycle == .running, entry.record.desired == .running
        {
            // Nobody asked for that, and it did not end by itself: what it was told and had not done is still wanted.
            return try await startAnew(entry, cause.detail ?? "its command was killed")
        }
        let to: Lifecycle =
            switch entry.record.lifecycle {
            case .stopping: .stopped
            case .parking: .parked
            default: cause.failed ? .failed : .parked
            }
        let wanted = entry.record.lifecycle == .stopping || entry.record.lifecycle == .parking
        try await conclude(
            entry, to: to, reason: wanted ? entry.record.reason ?? .requested : cause.reason,
            detail: wanted ? nil : cause.detail, actor: Self.ownName)
    }

    /// The worker or the command was killed under a session that should run: it is started again, as often in a row as that may help.
    private func startAnew(_ entry: SessionEntry, _ detail: String) async throws(SupervisorError) {
        entry.restarts.lived(clock.monotonic().since(entry.startedAt), steadyAfter: configuration.steadyAfter)
        try await conclude(
            entry, to: .parked, reason: .crashed, detail: detail, actor: Self.ownName, isWanted: true)
        await startAgainLater(entry, reason: .crashed, detail: detail)
    }

    private func cause(
        of end: IncarnationEnd, _ entry: SessionEntry
    ) async -> (reason: Reason, detail: String?, failed: Bool) {
        let kills = CgroupReader(directories: entry.record.cgroups).oomKills() ?? 0
        let lived = clock.monotonic().since(entry.startedAt)
        let isQuick = lived < configuration.quickEnd
        // The first start of all fails at once; later ones get a second try, since the session worked before.
        entry.quickEnds = isQuick ? entry.quickEnds + 1 : 0
        let failed = isQuick && (entry.record.incarnation == 1 || entry.quickEnds >= 2)
        switch end {
        case .lost(let detail):
            return kills > entry.oomKills ? await oom(entry, kills) : (.crashed, detail, false)
        case .told(let end):
            // The reaper may have told of this very kill a moment ago.
            let isNew = kills > entry.oomKills || clock.monotonic().since(entry.oomToldAt) < Self.recentKill
            if end.exit?.code == nil, kills > 0, isNew { return await oom(entry, kills) }
            let how =
                if let code = end.exit?.code {
                    "its command exited with status \(code)"
                } else if let signal =
                    end.exit?.signal
                { "its command was ended by signal \(signal)" } else { "its sandbox was ended from outside" }
            let words = end.lastLines.trimmingCharacters(in: .whitespacesAndNewlines)
            // A command that a signal ended did not end by itself: somebody killed it, or it crashed.
            if failed, end.exit?.code != nil {
                return (.exited, "\(how) at once\(words.isEmpty ? "" : ": \(words)")", true)
            }
            return (end.exit?.code == 0 ? .exited : .crashed, how, false)
        }
    }

    /// How long after a kill for want of memory a session's end may be put down to it, in seconds.
    private static let recentKill: TimeInterval = 5

    /// The kernel took the session's own process. Its worker may not take an event any more: the transition says it too.
    private func oom(_ entry: SessionEntry, _ kills: Int) async -> (reason: Reason, detail: String?, failed: Bool) {
        await tellOOM(entry, kills)
        let limit = policy(of: entry.record).sandbox.limits.memory
        return (.oom, "the session's memory limit of \(limit) was reached and the kernel ended its command", false)
    }
}
