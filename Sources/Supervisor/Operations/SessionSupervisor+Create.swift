import Foundation
import Logging
import Policy
public import Registry
import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// Makes a session durable, starts it, and returns once it runs. The same idempotency key of the same caller
    /// returns the session made before. When it does not start, nothing of it is left.
    public func create(
        _ creation: SessionCreation, idempotencyKey: String?, by principal: Principal
    ) async throws(SupervisorError) -> SessionView {
        guard phase == .running else {
            throw SupervisorError(.unavailable, "the supervisor is \(phase == .created ? "starting" : "stopping")")
        }
        guard principal.role >= .user else {
            throw SupervisorError(.forbidden, "the role '\(principal.role.rawValue)' may not create sessions")
        }
        let record = try newRecord(creation, by: principal)
        let key = try idempotencyKey.map { key throws(SupervisorError) in
            IdempotencyKey(key: key, body: try Self.canonical(creation))
        }
        return try await make(
            record, key, prompt: creation.prompt, takesSpare: creation.id == nil, by: principal)
    }

    /// Makes the session of a record that was checked, once for its key.
    /// - Parameter takesSpare: the session may have the id of a spare.
    func make(
        _ record: SessionRecord, _ key: IdempotencyKey?, prompt: String?, takesSpare: Bool = false,
        by principal: Principal
    ) async throws(SupervisorError) -> SessionView {
        // More than one round only when the session of the same key fails to start while we wait for it.
        for _ in 0..<3 {
            let outcome = await Task {
                await self.createOnce(record, key, prompt: prompt, takesSpare: takesSpare, actor: principal.name)
            }.value
            switch try outcome.get() {
            case .made(let view): return view
            case .repeated(let id):
                do throws(SupervisorError) {
                    // Its creation holds its lock; after that it runs or is gone.
                    return try await exclusively(id) { (supervisor, entry) async throws(SupervisorError) in
                        entry.record = try await supervisor.visible(id, to: principal)
                        return supervisor.view(entry)
                    }
                } catch  where error.code == .notFound {
                    let left = try await stored { () async throws(RegistryError) in try await registry.session(id) }
                    guard left == nil else {
                        throw SupervisorError(.wrongState, "the session of this idempotency key was deleted")
                    }
                }
            }
        }
        throw SupervisorError(.launchFailed, "the session of this idempotency key did not start")
    }

    enum Creation: Sendable {
        case made(SessionView)
        case repeated(SessionID)
    }

    private func createOnce(
        _ draft: SessionRecord, _ key: IdempotencyKey?, prompt: String?, takesSpare: Bool, actor: String
    ) async -> Result<Creation, SupervisorError> {
        do throws(SupervisorError) {
            let (entry, spare): (SessionEntry, Spare?)
            switch try await begin(draft, key, takesSpare: takesSpare, actor: actor) {
            case .repeated(let earlier): return .success(.repeated(earlier))
            case .stored(let stored, let taken): (entry, spare) = (stored, taken)
            }
            defer { entry.lock.release() }
            announceBirth(entry, actor: actor)
            do throws(SupervisorError) {
                try await launch(entry, with: spare, actor: actor)
            } catch {
                await takeBack(entry, because: error)
                throw error
            }
            await type(prompt, into: entry)
            return .success(.made(view(entry)))
        } catch {
            return .failure(error)
        }
    }

    private enum Beginning {
        /// The row is there, and the entry is locked.
        case stored(SessionEntry, Spare?)
        /// The session that the same caller made before with the same key. Nothing was taken or stored.
        case repeated(SessionID)
    }

    /// Looks for an earlier session of the key, and only then takes a spare and a place and stores the session: a
    /// repetition has neither, not even for a moment. It must not find the box full of itself.
    private func begin(
        _ draft: SessionRecord, _ key: IdempotencyKey?, takesSpare: Bool, actor: String
    ) async throws(SupervisorError) -> Beginning {
        if key != nil { await keyed.acquire() }
        defer { if key != nil { keyed.release() } }
        if let key {
            let earlier = try await stored { () async throws(RegistryError) in
                try await registry.session(of: key, ownerID: draft.ownerID, at: draft.createdAt)
            }
            if let earlier { return .repeated(earlier) }
        }
        var draft = draft
        let spare = takesSpare ? await takeSpare(for: draft) : nil
        if let spare { draft.id = spare.id }
        // In its place and locked before its row is there: whoever finds the row waits until it runs.
        let entry = SessionEntry(draft, feed: SessionFeed(), workers: workers)
        entry.lock.take()
        do throws(SupervisorError) {
            try await store(entry, key, takesSpare: spare != nil, actor: actor)
        } catch {
            entry.lock.release()
            if let spare { Task { await self.drop(taken: spare, .failed) } }
            throw error
        }
        if let spare { sparesInFlux.remove(spare.id) }
        return .stored(entry, spare)
    }

    /// Takes a place and stores the session.
    private func store(
        _ entry: SessionEntry, _ key: IdempotencyKey?, takesSpare: Bool, actor: String
    ) async throws(SupervisorError) {
        let draft = entry.record
        if let refusal = await takePlace(draft.id, memory: policy(of: draft).sandbox.limits.memory) {
            throw full(refusal)
        }
        let isKnown = entries[draft.id] != nil
        if !isKnown { entries[draft.id] = entry }
        do throws(SupervisorError) {
            let insertion = try await stored { () async throws(RegistryError) in
                try await registry.insert(draft, idempotency: key, actor: actor, takesSpare: takesSpare)
            }
            switch insertion {
            case .repeated(let id): throw SupervisorError(.exists, "session \(id) was made with this key meanwhile")
            case .inserted(let record):
                entry.record = record
                entries[record.id] = entry
            }
        } catch {
            // A session of that id that runs keeps its place.
            if !isKnown {
                admission.release(draft.id)
                entries[draft.id] = nil
            } else if entries[draft.id]?.record.lifecycle.hasIncarnation != true {
                admission.release(draft.id)
            }
            throw error
        }
    }

    private func announceBirth(_ entry: SessionEntry, actor: String) {
        let record = entry.record
        for (to, seq) in [(.queued, 1), (.starting, 2)] as [(Lifecycle, UInt64)] {
            let transition = TransitionRecord(
                sessionID: record.id, incarnation: record.incarnation, from: nil, to: to, reason: nil, detail: nil,
                actor: actor, seq: seq, time: record.createdAt)
            if let event = SessionEvent(transition, seq: seq) { publish(event, of: entry) }
        }
        writeManifest(record)
    }

    /// A session that never came up is as if it had never been asked for.
    private func takeBack(_ entry: SessionEntry, because error: SupervisorError) async {
        logger.warning(
            "session did not start",
            metadata: ["session": "\(entry.id)", "code": "\(error.code.rawValue)", "detail": "\(error.detail)"])
        admission.release(entry.id)
        entry.reset()
        var tombstone = entry.record
        tombstone.desired = .deleted
        tombstone.revision += 1
        writeManifest(tombstone)
        if await forget(entry.id) {
            manifests.remove(entry.id)
        } else {
            // The launcher or the disk: the reaper tries again, and a next supervisor finishes it.
            abandoned.insert(entry.id)
            _ = try? await registry.intend(.deleted, for: entry.id, in: entry.record.incarnation)
        }
        entry.feed.finish()
        entries[entry.id] = nil
    }

    /// Removes every trace of a session that never came up; its row last.
    func forget(_ id: SessionID) async -> Bool {
        do {
            try await remove(id)
            try await registry.forget(id)
            return true
        } catch {
            logger.error(
                "what a failed start left is not removed yet", metadata: ["session": "\(id)", "error": "\(error)"])
            return false
        }
    }

    /// The worker holds typed text until the session's program reads it.
    private func type(_ prompt: String?, into entry: SessionEntry) async {
        guard let prompt, !prompt.isEmpty, let connection = entry.connection else { return }
        do {
            let reply = try await connection.send(
                .input(text: prompt, clientID: "prompt:\(entry.id)", submit: true), within: configuration.replyLimit)
            if case .refused(let code, let detail) = reply { throw SupervisorError(refusal: code, detail) }
        } catch {
            logger.warning("the first prompt was not typed", metadata: ["session": "\(entry.id)", "error": "\(error)"])
        }
    }

    func full(_ refusal: Admission.Refusal) -> SupervisorError {
        if case .neverFits = refusal { return SupervisorError(.invalid, refusal.detail) }
        let now = clock.now()
        let next = entries.values.compactMap { parksAt($0) }.min()?.timeIntervalSince(now)
        return SupervisorError(
            .full, refusal.detail, retryAfterSeconds: Int(min(max(next ?? 30, 1), 300).rounded(.up)))
    }
}
