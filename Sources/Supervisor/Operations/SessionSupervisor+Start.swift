import Foundation
import Logging
import Registry
import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// Takes up where the last supervisor ended: adopts the sessions whose workers live, marks the others parked,
    /// finishes deletions, has the launcher sweep what nobody owns, and starts the reaper.
    public func start() async throws(SupervisorError) {
        guard phase == .created else { return }
        try await askWorkersAfterRecovery()
        let records = try await stored { () async throws(RegistryError) in
            try await registry.sessions(in: Set(Lifecycle.allCases.filter { $0.hasIncarnation || $0 == .queued }))
        }
        // Side by side: a worker that does not answer must not hold up the others.
        let found = await withTaskGroup(of: (SessionRecord, WorkerConnection?).self) { group in
            for record in records {
                group.addTask { (record, try? await self.connect(record.id, incarnation: record.incarnation)) }
            }
            var found: [(SessionRecord, WorkerConnection?)] = []
            for await one in group { found.append(one) }
            return found
        }
        for (record, connection) in found {
            let entry = try await entry(record.id)
            if let connection, record.desired != .deleted {
                try await readopt(entry, connection)
            } else {
                await connection?.close()
                try await markGone(entry)
            }
        }
        phase = .running
        await sweep()
        await finishDeletions()
        _ = try? await registry.prune(before: clock.now().addingTimeInterval(-30 * 86_400))
        startReaper()
        Task { await self.refreshManifests() }
        logger.info(
            "supervisor started",
            metadata: ["adopted": "\(admission.reserved.count)", "sessions": "\(records.count)"])
    }

    private func readopt(_ entry: SessionEntry, _ connection: WorkerConnection) async throws(SupervisorError) {
        let record = entry.record
        admission.adopt(entry.id, memory: policy(of: record).sandbox.limits.memory)
        if record.lifecycle == .starting {
            var changes = SessionChanges()
            changes.worker = (connection.hello.pid, connection.hello.startTime)
            changes.startedAt = record.startedAt ?? clock.now()
            try await commit(
                entry,
                SessionTransition(
                    from: [.starting], incarnation: record.incarnation, to: .running, actor: Self.ownName,
                    takesNumber: false, time: clock.now(), changes: changes))
        }
        adopt(entry, connection, since: entry.feed.lastSequence)
        guard record.lifecycle == .parking || record.lifecycle == .stopping else { return }
        // It was being ended when the last supervisor went.
        let to: Lifecycle = record.lifecycle == .parking ? .parked : .stopped
        let reason = record.reason ?? .requested
        Task {
            try? await exclusively(entry.id) { (supervisor, entry) async throws(SupervisorError) in
                guard entry.record.lifecycle == .parking || entry.record.lifecycle == .stopping else { return }
                try await supervisor.endIncarnation(entry, to: to, reason: reason, actor: Self.ownName)
            }
        }
    }

    /// Nothing of the session runs: the host was restarted, or its worker ended while nobody looked.
    private func markGone(_ entry: SessionEntry) async throws(SupervisorError) {
        let wasStopping = entry.record.lifecycle == .stopping
        try await commit(
            entry,
            SessionTransition(
                from: [.queued, .starting, .running, .parking, .stopping], incarnation: entry.record.incarnation,
                to: wasStopping ? .stopped : .parked,
                desired: entry.record.desired == .deleted ? nil : wasStopping ? .stopped : .parked,
                reason: wasStopping ? entry.record.reason ?? .requested : .hostRestart,
                detail: wasStopping ? nil : "its worker was gone when the supervisor started", actor: Self.ownName,
                lastSequence: entry.lastSequence + Self.sequenceJump, time: clock.now(),
                changes: {
                    var changes = SessionChanges()
                    changes.worker = .some(nil)
                    changes.cgroups = [:]
                    return changes
                }()))
    }

    private func sweep() async {
        let live = admission.reserved.keys.sorted { $0.description < $1.description }
        do {
            let reply = try await launcher.send(
                .sweep(SweepRequest(live: live)), within: configuration.launchLimit)
            switch reply {
            case .swept(let ids) where !ids.isEmpty:
                logger.info("swept what earlier sessions left", metadata: ["sessions": "\(ids.count)"])
            case .failed(let failure): throw SupervisorError(failure)
            default: break
            }
        } catch {
            logger.error("leftovers are not swept", metadata: ["error": "\(error)"])
        }
    }

    private func finishDeletions() async {
        do throws(SupervisorError) {
            let records = try await stored { () async throws(RegistryError) in try await registry.sessionsToDelete() }
            for record in records {
                try await exclusively(record.id) { (supervisor, entry) async throws(SupervisorError) in
                    try await supervisor.delete(entry, keepWorkspace: record.keepsWorkspace, actor: Self.ownName)
                }
            }
        } catch {
            logger.error("a deletion is not finished", metadata: ["error": "\(error.detail)"])
        }
    }

    /// Ends the supervisor's work. Sessions run on and are adopted by the next supervisor, unless `stopSessions`
    /// parks them first (reason `host_restart`): they then come back with the next message.
    public func shutdown(stopSessions: Bool) async {
        guard phase != .stopping else { return }
        phase = .stopping
        reaper?.cancel()
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
            entry.feed.finish()
            await entry.connection?.close()
        }
        for watcher in watchers { watcher.mailbox?.finish() }
        watchers = []
    }
}
