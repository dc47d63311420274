import Foundation
import Logging
import Registry
import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// Takes up where the last supervisor ended: adopts the sessions whose workers live, has those started again whose
    /// workers are gone, ends what was being ended. Returns when every worker that answers is adopted; what takes its
    /// time goes on behind it, and ``adoptionReport()`` tells of each session.
    public func start() async throws(SupervisorError) {
        guard phase == .created else { return }
        try await askWorkersAfterRecovery()
        if recovery != nil {
            try await stored { () async throws(RegistryError) in try await registry.doubtSpares() }
        }
        let begin = clock.monotonic()
        let afterReboot = BootMark(stateDirectory: configuration.stateDirectory).renew()
        adoption = AdoptionReport(startedAt: clock.now(), seconds: 0, afterReboot: afterReboot, sessions: [])
        let records = try await stored { () async throws(RegistryError) in try await registry.sessionsToRecover() }
        // Side by side: a worker that does not answer must not hold up the others.
        let findings = await withTaskGroup(of: (SessionRecord, WorkerFinding, [TransitionRecord]?).self) { group in
            for record in records {
                group.addTask {
                    (record, await self.find(record), try? await self.registry.transitions(of: record.id))
                }
            }
            var findings: [(SessionRecord, WorkerFinding, [TransitionRecord]?)] = []
            for await finding in group { findings.append(finding) }
            return findings
        }
        // Those that were in use last come back first.
        let found = findings.sorted { $0.0.lastActivityAt > $1.0.lastActivityAt }
        for (record, finding, transitions) in found {
            let entry =
                if let transitions { entry(record, transitions) } else { try await entry(record.id) }
            switch finding {
            case .answers(let connection) where record.desired == .deleted:
                await connection.close()
                try await markGone(entry, why: "it is to be deleted", afterReboot: afterReboot)
            case .answers(let connection) where connection.hello.status.isSpare == true:
                await connection.close()
                try await markGone(
                    entry, why: "the last supervisor went before the session had its spare", afterReboot: afterReboot)
            case .answers(let connection): try await readopt(entry, connection)
            case .silent(let worker, let why) where record.desired != .deleted:
                try await readopt(entry, silent: worker, why: why)
            case .silent(_, let why), .gone(let why): try await markGone(entry, why: why, afterReboot: afterReboot)
            }
        }
        phase = .running
        adoption?.seconds = clock.monotonic().since(begin)
        _ = try? await registry.prune(before: clock.now().addingTimeInterval(-30 * 86_400))
        startReaper()
        Task { await self.refreshManifests() }
        startReconciling()
        logger.notice(
            "supervisor started",
            metadata: [
                "sessions": "\(adoption?.summary ?? "-")", "after_reboot": "\(afterReboot)",
                "seconds": "\(adoption?.seconds ?? 0)",
            ])
    }

    /// What became of the sessions that this supervisor found; nil before ``start()``.
    public func adoptionReport() -> AdoptionReport? { adoption }

    func noteRecovery(_ id: SessionID, _ outcome: AdoptionReport.Outcome, _ reason: String) {
        adoption?.note(id, outcome, reason)
        let level: Logger.Level = outcome == .failed ? .warning : .info
        logger.log(
            level: level, "session recovered",
            metadata: ["session": "\(id)", "outcome": "\(outcome.rawValue)", "reason": "\(reason)"])
    }

    // MARK: - Its worker lives

    private func readopt(_ entry: SessionEntry, _ connection: WorkerConnection) async throws(SupervisorError) {
        try await takeUp(entry, ProcessIdentity(pid: connection.hello.pid, startTime: connection.hello.startTime))
        adopt(entry, connection, since: entry.feed.lastSequence)
        noteRecovery(entry.id, .adopted, "its worker, process \(connection.hello.pid), goes on")
        Task { await tell(entry, .sessionAdopted, ["lifecycle": "running", "by": .string(Self.ownName)]) }
        finishEnding(entry)
    }

    /// It may answer later, or be ended: that is for its owner to say. Until then it holds its place.
    private func readopt(
        _ entry: SessionEntry, silent worker: ProcessIdentity, why: String
    ) async throws(SupervisorError) {
        try await takeUp(entry, worker)
        adopt(entry, silent: worker)
        noteRecovery(entry.id, .adopted, "its worker, process \(worker.pid), lives and does not answer: \(why)")
        finishEnding(entry)
    }

    private func takeUp(_ entry: SessionEntry, _ worker: ProcessIdentity) async throws(SupervisorError) {
        let record = entry.record
        admission.adopt(entry.id, memory: policy(of: record).sandbox.limits.memory)
        guard record.lifecycle == .starting else { return }
        var changes = SessionChanges()
        changes.worker = (worker.pid, worker.startTime)
        changes.startedAt = record.startedAt ?? clock.now()
        try await commit(
            entry,
            SessionTransition(
                from: [.starting], incarnation: record.incarnation, to: .running, actor: Self.ownName,
                takesNumber: false, time: clock.now(), changes: changes))
    }

    /// It was being ended when the last supervisor went.
    private func finishEnding(_ entry: SessionEntry) {
        let record = entry.record
        guard record.lifecycle == .parking || record.lifecycle == .stopping else { return }
        let to: Lifecycle = record.lifecycle == .parking ? .parked : .stopped
        let reason = record.reason ?? .requested
        noteRecovery(entry.id, .ended, "it was \(record.lifecycle.rawValue) when the last supervisor went")
        Task {
            try? await exclusively(entry.id) { (supervisor, entry) async throws(SupervisorError) in
                guard entry.record.lifecycle == .parking || entry.record.lifecycle == .stopping else { return }
                try await supervisor.endIncarnation(entry, to: to, reason: reason, actor: Self.ownName)
            }
        }
    }

    // MARK: - Its worker is gone

    /// Nothing of the session runs: the host was restarted, or its worker ended while nobody looked. What should run is
    /// started again, what should not stays down.
    private func markGone(_ entry: SessionEntry, why: String, afterReboot: Bool) async throws(SupervisorError) {
        let record = entry.record
        // What is left of it is cleaned before anything of it starts.
        entry.isDirty = true
        let wasStopping = record.lifecycle == .stopping
        let isWanted = record.desired == .running && record.lifecycle != .parking && !wasStopping
        let reason: Reason = isWanted ? (afterReboot ? .hostRestart : .crashed) : record.reason ?? .requested
        let detail = afterReboot ? "the host was restarted" : why
        if record.lifecycle != .parked {
            var changes = SessionChanges()
            changes.worker = .some(nil)
            changes.cgroups = [:]
            try await commit(
                entry,
                SessionTransition(
                    from: [.queued, .starting, .running, .parking, .stopping], incarnation: record.incarnation,
                    to: wasStopping ? .stopped : .parked,
                    desired: isWanted || record.desired == .deleted ? nil : wasStopping ? .stopped : .parked,
                    reason: reason, detail: isWanted ? detail : nil, actor: Self.ownName,
                    lastSequence: entry.lastSequence + Self.sequenceJump, time: clock.now(), changes: changes))
        }
        if isWanted {
            noteRecovery(entry.id, .waiting, detail)
            await startAgainLater(entry, reason: reason, detail: detail)
        } else {
            noteRecovery(
                entry.id, .ended, record.desired == .deleted ? "it is to be deleted" : "it was being ended")
        }
    }

    /// Ends the supervisor's work. Sessions run on and are adopted by the next supervisor, unless `stopSessions`
    /// parks them first (reason `host_restart`): they then come back with the next message.
    public func shutdown(stopSessions: Bool) async {
        guard phase != .stopping else { return }
        phase = .stopping
        reaper?.cancel()
        reconciler?.cancel()
        await dropAllSpares()
        if stopSessions {
            await withTaskGroup(of: Void.self) { group in
                for id in admission.reserved.keys {
                    group.addTask {
                        try? await self.exclusively(id) { (supervisor, entry) async throws(SupervisorError) in
                            guard entry.record.lifecycle == .running else { return }
                            try await supervisor.endIncarnation(
                                entry, to: .parked, reason: .hostRestart, actor: Self.ownName)
                        }
                    }
                }
            }
        }
        for entry in entries.values {
            entry.pump?.cancel()
            entry.watch?.cancel()
            entry.feed.finish()
            await entry.connection?.close()
        }
        for watcher in watchers { watcher.mailbox?.finish() }
        watchers = []
    }
}
