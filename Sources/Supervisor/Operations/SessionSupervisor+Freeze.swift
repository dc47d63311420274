import Foundation
import Logging
import Registry
import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// True when the session has been idle for as long as its policy lets it run on.
    func shouldFreeze(_ entry: SessionEntry, now: MonotonicTime) -> Bool {
        guard !entry.cannotFreeze, entry.status?.frozenSince == nil,
            let at = rule(entry)?.freezesAt
        else { return false }
        return now >= at
    }

    /// Has the worker freeze it. The worker thaws it itself, with the first key and without us.
    func freeze(_ entry: SessionEntry) async {
        guard shouldFreeze(entry, now: clock.monotonic()), let connection = entry.connection,
            entry.record.lifecycle == .running, entry.lock.isFree
        else { return }
        do {
            let reply = try await connection.send(.freeze, within: configuration.replyLimit)
            guard case .refused(let code, let detail) = reply else {
                await refresh(entry, within: configuration.replyLimit)
                return
            }
            // Something has happened since we asked: it is looked at again.
            if code == "not_idle" { return }
            entry.cannotFreeze = true
            logger.warning("a session cannot be frozen", metadata: ["session": "\(entry.id)", "why": "\(detail)"])
        } catch {
            logger.warning("a session is not frozen", metadata: ["session": "\(entry.id)", "error": "\(error)"])
        }
    }
}
