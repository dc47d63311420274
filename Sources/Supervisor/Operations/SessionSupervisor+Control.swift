import Foundation
public import Registry
public import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// Ends the incarnation; only ``resume(_:by:)`` starts the session again. Idempotent.
    public func stop(_ id: SessionID, by principal: Principal) async throws(SupervisorError) -> SessionView {
        try await change(id, by: principal) { (supervisor, entry) async throws(SupervisorError) in
            try await supervisor.stop(entry, actor: principal.name)
            return supervisor.view(entry)
        }
    }

    /// Ends the incarnation; the next input or attach with wake starts the session again. Idempotent. A session that
    /// is stopped stays stopped.
    public func park(_ id: SessionID, by principal: Principal) async throws(SupervisorError) -> SessionView {
        try await change(id, by: principal) { (supervisor, entry) async throws(SupervisorError) in
            if entry.record.lifecycle.hasIncarnation {
                try await supervisor.endIncarnation(entry, to: .parked, reason: .requested, actor: principal.name)
            } else if entry.record.lifecycle == .parked, entry.record.desired == .running {
                // It was about to be started again.
                try await supervisor.commit(
                    entry,
                    SessionTransition(
                        from: [.parked], incarnation: entry.record.incarnation, to: .parked, desired: .parked,
                        reason: .requested, actor: principal.name, lastSequence: entry.lastSequence,
                        time: supervisor.clock.now()))
            }
            return supervisor.view(entry)
        }
    }

    /// Starts a parked, stopped or failed session again. Idempotent.
    public func resume(_ id: SessionID, by principal: Principal) async throws(SupervisorError) -> SessionView {
        try await change(id, by: principal) { (supervisor, entry) async throws(SupervisorError) in
            if entry.record.lifecycle != .running {
                try await supervisor.startAgain(entry, actor: principal.name)
            }
            return supervisor.view(entry)
        }
    }

    /// Stops the session, then removes it and its directories.
    public func delete(
        _ id: SessionID, keepWorkspace: Bool, by principal: Principal
    ) async throws(SupervisorError) {
        try await change(id, by: principal) { (supervisor, entry) async throws(SupervisorError) in
            try await supervisor.delete(entry, keepWorkspace: keepWorkspace, actor: principal.name)
        }
    }

    private func stop(_ entry: SessionEntry, actor: String) async throws(SupervisorError) {
        switch entry.record.lifecycle {
        case .starting, .running, .parking, .stopping:
            try await endIncarnation(entry, to: .stopped, reason: .requested, actor: actor)
        case .parked, .queued:
            try await commit(
                entry,
                SessionTransition(
                    from: [entry.record.lifecycle], incarnation: entry.record.incarnation, to: .stopped,
                    desired: .stopped, reason: .requested, actor: actor, lastSequence: entry.lastSequence,
                    time: clock.now()))
        case .stopped, .failed, .deleted: return
        }
    }

    /// A new incarnation of a session that has none. The caller holds the lock.
    /// - Parameter cause: why the supervisor starts it of its own accord. A launch that fails then leaves it parked and
    ///   wanted, to be tried again.
    func startAgain(
        _ entry: SessionEntry, actor: String, because cause: Reason? = nil, detail: String? = nil
    ) async throws(SupervisorError) {
        guard phase == .running else { throw SupervisorError(.unavailable, "the supervisor is stopping") }
        guard entry.record.desired != .deleted else {
            throw SupervisorError(.wrongState, "session \(entry.id) is being deleted")
        }
        if let outage = launcher.outage { throw SupervisorError(LauncherError.gone(outage)) }
        if entry.isDirty, !(await clean(entry.id)) {
            throw SupervisorError(
                .unavailable,
                "what the last incarnation of session \(entry.id) left is not cleaned away yet: try again",
                retryAfterSeconds: 5)
        }
        if cause == nil { entry.restarts.reset() }
        let memory = policy(of: entry.record).sandbox.limits.memory
        if let refusal = await takePlace(entry.id, memory: memory) { throw full(refusal) }
        do throws(SupervisorError) {
            var changes = SessionChanges()
            changes.incarnation = entry.record.incarnation + 1
            changes.startedAt = clock.now()
            let starting = try await commit(
                entry,
                SessionTransition(
                    from: [.parked, .stopped, .failed], incarnation: entry.record.incarnation, to: .starting,
                    desired: .running, reason: cause, detail: detail, actor: actor, lastSequence: entry.lastSequence,
                    time: clock.now(), changes: changes))
            guard starting != nil else {
                throw SupervisorError(.wrongState, "session \(entry.id) changed meanwhile: try again")
            }
            try await launch(entry, actor: actor)
        } catch {
            admission.release(entry.id)
            entry.reset()
            // The numbers of a launch that failed may have been used by its worker.
            _ = try? await commit(
                entry,
                SessionTransition(
                    from: [.starting, .running], incarnation: entry.record.incarnation,
                    to: cause == nil ? .failed : .parked, desired: cause == nil ? .stopped : nil,
                    reason: .launchFailed, detail: error.detail, actor: actor,
                    lastSequence: entry.lastSequence + Self.sequenceJump, time: clock.now()))
            throw error
        }
    }

    func delete(_ entry: SessionEntry, keepWorkspace: Bool, actor: String) async throws(SupervisorError) {
        let id = entry.id
        // The intent first: after this a crash of ours ends with the session deleted, not brought back.
        var changes = SessionChanges()
        changes.keepsWorkspace = keepWorkspace
        let (intent, incarnation) = (changes, entry.record.incarnation)
        let intended = try await stored { () async throws(RegistryError) in
            let record = try await registry.intend(.deleted, for: id, in: incarnation, intent)
            // In the manifest too, before anything of it is gone: no backup may bring the session back.
            if let record { try await manifests.write(record) }
            return record != nil
        }
        guard intended else {
            throw SupervisorError(.wrongState, "session \(id) changed meanwhile: try again")
        }
        entry.record.desired = .deleted
        if entry.record.lifecycle.hasIncarnation {
            try await endIncarnation(entry, to: .stopped, reason: .requested, actor: actor)
        }
        let reply: LauncherReply
        do throws(LauncherError) {
            reply = try await launcher.send(
                .remove(RemoveRequest(sessionID: id, keepWorkspace: keepWorkspace)), within: configuration.cleanLimit)
        } catch {
            throw SupervisorError(error)
        }
        if case .failed(let failure) = reply {
            throw SupervisorError(
                .unavailable,
                "session \(id) is stopped and its directories are not removed: \(failure.step): "
                    + "\(failure.message). \(failure.remedy)", launchFailure: failure)
        }
        try await commit(
            entry,
            SessionTransition(
                from: Set(Lifecycle.allCases), incarnation: entry.record.incarnation, to: .deleted, desired: .deleted,
                reason: .requested, actor: actor, lastSequence: entry.lastSequence, time: clock.now()))
        if !keepWorkspace {
            try await stored { () async throws(RegistryError) in try await registry.releaseSlot(of: id) }
        }
        entry.feed.finish()
        entries[id] = nil
    }
}
