import Foundation
import Logging
import Policy
import Registry
import SessionCore
import WorkerControl

/// Sessions that begin with a spare. What the session gets is what a cold start would have made; where it is not, or is not
/// to be had, it starts cold.
extension SessionSupervisor {
    /// Takes a spare out of the pool that a cold start of the session would have made, under the spare's id.
    func takeSpare(for draft: SessionRecord) async -> Spare? {
        guard draft.kind == .structured, draft.forkedFrom == nil, policy(of: draft).spares.count > 0 else { return nil }
        let key = SparePool.Key(tenantID: draft.tenantID, policy: draft.policy)
        let now = clock.monotonic()
        pool.used(key, at: now)
        tendSparesSoon()
        var why = "there is no spare"
        for spare in pool.spares(of: key) where now.since(spare.madeAt) <= policy(of: draft).spares.age.seconds {
            var candidate = draft
            candidate.id = spare.id
            guard let ground = try? await ground(of: candidate, uidSlot: spare.uidSlot) else { break }
            guard ground == spare.ground else {
                why = "the session is not what the spares were made for"
                continue
            }
            if let taken = pool.take(spare.id) {
                sparesInFlux.insert(spare.id)
                return taken
            }
        }
        pool.missed()
        logger.info("a session starts cold", metadata: ["policy": "\(draft.policy)", "why": "\(why)"])
        return nil
    }

    /// Makes the spare the session's, whose row there is by now.
    /// - Returns: false when it was not to be had. Then nothing of it is left, and the session can start cold.
    func claim(
        _ spare: Spare, for entry: SessionEntry, actor: String
    ) async throws(SupervisorError) -> Bool {
        do {
            let mode = entry.record.permissionMode
            let reply = try await spare.connection?.send(
                .claim(permissionMode: mode), within: configuration.replyLimit)
            guard case .message = reply else {
                if case .refused(let code, let detail) = reply {
                    throw SupervisorError(.launchFailed, "\(code): \(detail)")
                }
                throw SupervisorError(.launchFailed, "its worker answered with something else")
            }
            try await welcome(entry, spare.launched, actor: actor)
            await spare.connection?.close()
            pool.claimed(spare.key)
            logger.info("session has a spare", metadata: ["session": "\(entry.id)"])
            return true
        } catch {
            let why = (error as? SupervisorError)?.detail ?? "\(error)"
            logger.warning(
                "a spare is not to be had; the session starts cold",
                metadata: ["session": "\(entry.id)", "why": "\(why)"])
            pool.missed()
            pool.failed(spare.key, why, at: clock.monotonic())
            await spare.connection?.close()
            await disconnect(entry)
            try await clear(entry.id)
            return false
        }
    }

    /// Ends and removes what a spare has been, so that a cold start finds what it would have found.
    func clear(_ id: SessionID) async throws(SupervisorError) {
        guard await clean(id) else {
            throw SupervisorError(.launchFailed, "what is left of a spare cannot be cleaned away")
        }
        try await remove(id)
    }
}
