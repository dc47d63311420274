import Foundation
import Synchronization

/// How many names a session may have looked up at once: a name server that does not answer would otherwise hold up the
/// lookups of others.
final class ResolverTurns: Sendable {
    private static let most = 2
    private let taken = Mutex<[UUID: Int]>([:])

    /// - Returns: false: later.
    func take(_ session: UUID) -> Bool {
        taken.withLock { taken in
            guard taken[session, default: 0] < Self.most else { return false }
            taken[session, default: 0] += 1
            return true
        }
    }

    func give(_ session: UUID) {
        taken.withLock { taken in
            let left = (taken[session] ?? 1) - 1
            taken[session] = left > 0 ? left : nil
        }
    }
}
