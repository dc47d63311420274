import Foundation
import Synchronization

/// Which refusals are told of: a tool that tries again and again must not fill its session's log. The same is told of
/// once a minute, with how often it was; and at most 30 kinds in a minute.
final class RefusalNews: Sendable {
    private struct Kind: Hashable {
        var reason: EgressRefusal.Reason
        var target: String
    }

    private struct Told {
        var at: UInt64
        /// Since then.
        var count = 0
    }

    private static let interval: UInt64 = 60_000_000_000
    private static let most = 30
    private let sessions = Mutex<[UUID: [Kind: Told]]>([:])

    /// - Parameter ticks: nanoseconds of a clock that only goes forward.
    /// - Returns: nil when it is not told of now.
    func news(_ refusal: EgressRefusal, of session: UUID, ticks: UInt64) -> EgressRefused? {
        let kind = Kind(reason: refusal.reason, target: refusal.target)
        let count: Int? = sessions.withLock { sessions in
            var told = sessions[session] ?? [:]
            defer { sessions[session] = told }
            if var last = told[kind], ticks &- last.at < Self.interval {
                last.count += 1
                told[kind] = last
                return nil
            }
            let count = (told[kind]?.count ?? 0) + 1
            told = told.filter { ticks &- $0.value.at < Self.interval }
            guard told.count < Self.most else { return nil }
            told[kind] = Told(at: ticks)
            return count
        }
        return count.map {
            EgressRefused(
                target: refusal.target, reason: refusal.reason.rawValue, detail: refusal.detail, count: $0)
        }
    }

    /// Forgets sessions of which nothing was told for a while.
    func tidy(ticks: UInt64) {
        sessions.withLock { sessions in
            sessions = sessions.filter { $0.value.contains { ticks &- $0.value.at < 10 * Self.interval } }
        }
    }
}
