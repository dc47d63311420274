public import Foundation
import SessionCore
import Synchronization

/// Which process is which session's worker, for whoever must know at once and from any thread.
public final class WorkerRoster: Sendable {
    private struct Known {
        var workers: [SessionID: Int32] = [:]
        var sessions: [Int32: SessionID] = [:]
    }

    private let known = Mutex(Known())

    public init() {}

    func set(_ pid: Int32?, for session: SessionID) {
        known.withLock { known in
            if let old = known.workers.removeValue(forKey: session), known.sessions[old] == session {
                known.sessions[old] = nil
            }
            guard let pid else { return }
            known.workers[session] = pid
            known.sessions[pid] = session
        }
    }

    /// Whether a process may speak for a session: its own worker may. One that nobody knows yet may while the session's
    /// worker is not known either, for a worker's first requests can come before its greeting.
    public func mayServe(_ pid: pid_t?, _ session: UUID) -> Bool {
        guard let pid else { return false }
        return known.withLock { known in
            if let worker = known.workers[SessionID(session)] { return worker == pid }
            return known.sessions[pid] == nil
        }
    }
}
