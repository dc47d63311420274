import Foundation
import SessionCore
import Synchronization

/// One request at a time for each session; sessions do not wait for each other. Requests run on threads of their own
/// and may block.
final class SessionLocks: Sendable {
    private struct Entry {
        let lock = NSLock()
        var users = 0
    }

    private let entries = Mutex<[SessionID: Entry]>([:])

    func withLock<Result, Failure: Error>(
        _ id: SessionID, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let lock = entries.withLock { entries in
            entries[id, default: Entry()].users += 1
            return entries[id, default: Entry()].lock
        }
        lock.lock()
        defer {
            lock.unlock()
            entries.withLock { entries in
                entries[id]?.users -= 1
                if entries[id]?.users == 0 { entries[id] = nil }
            }
        }
        return try body()
    }
}
