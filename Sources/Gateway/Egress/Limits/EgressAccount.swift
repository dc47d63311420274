import Foundation
import Synchronization

/// What one session, or all of a tenant together, has of the network: connections now, bytes a second and a day.
final class EgressAccount: Sendable {
    struct Limits: Sendable, Hashable {
        var connections: Int
        /// Both ways together; nil: as fast as it goes.
        var bytesPerSecond: UInt64?
        /// Both ways together; nil: without a limit.
        var bytesPerDay: UInt64?
    }

    enum Passage: Hashable {
        case free
        /// Not before so many nanoseconds have passed.
        case pause(Int64)
        case spent
    }

    private struct State {
        var connections = 0
        var day: EgressDay
        /// Of the day, also what was booked by an earlier supervisor.
        var bytes: Int64
        var unbooked: [EgressDay: Moved] = [:]
        /// Bytes that may go at once; filled up as time passes.
        var credit = 0.0
        var filledAt: UInt64?
    }

    struct Moved: Sendable, Hashable {
        var sent: Int64 = 0
        var received: Int64 = 0
        var connections: Int64 = 0
    }

    private let state: Mutex<State>

    /// - Parameter bytes: what is booked for the day already.
    init(day: EgressDay, bytes: Int64) { state = Mutex(State(day: day, bytes: bytes)) }

    /// - Returns: false when there are as many as there may be.
    func open(_ limits: Limits) -> Bool {
        state.withLock { state in
            guard state.connections < limits.connections else { return false }
            state.connections += 1
            return true
        }
    }

    func close() { state.withLock { $0.connections -= 1 } }

    func opened(day: EgressDay) { state.withLock { $0.unbooked[day, default: Moved()].connections += 1 } }

    var connections: Int { state.withLock { $0.connections } }

    func isSpent(_ limits: Limits, day: EgressDay) -> Bool {
        guard let most = limits.bytesPerDay else { return false }
        return state.withLock { $0.day == day && $0.bytes >= Int64(clamping: most) }
    }

    /// Counts bytes that have come, and are passed on, at once or later, unless the answer is `spent`.
    /// - Parameter ticks: nanoseconds of a clock that only goes forward.
    func take(
        sent: Int = 0, received: Int = 0, _ limits: Limits, day: EgressDay, ticks: UInt64, books: Bool
    ) -> Passage {
        let count = sent + received
        return state.withLock { state in
            if state.day != day { (state.day, state.bytes) = (day, 0) }
            state.bytes += Int64(count)
            if books {
                state.unbooked[day, default: Moved()].sent += Int64(sent)
                state.unbooked[day, default: Moved()].received += Int64(received)
            }
            if let most = limits.bytesPerDay, state.bytes > Int64(clamping: most) { return .spent }
            guard let rate = limits.bytesPerSecond.map({ Double($0) }) else { return .free }
            let passed = state.filledAt.map { Double(ticks &- $0) / 1e9 } ?? 1
            state.filledAt = ticks
            // A second's worth at most may go at once. Who comes later waits for those who came before.
            state.credit = min(rate, state.credit + passed * rate) - Double(count)
            return state.credit >= 0 ? .free : .pause(Int64(min(-state.credit / rate, 1e6) * 1e9))
        }
    }

    /// What is to be booked since the last call.
    func takeUnbooked() -> [EgressDay: Moved] {
        state.withLock { state in
            defer { state.unbooked = [:] }
            return state.unbooked
        }
    }

    /// It could not be booked: the next time.
    func putBack(_ moved: [EgressDay: Moved]) {
        state.withLock { state in
            for (day, moved) in moved {
                state.unbooked[day, default: Moved()].sent += moved.sent
                state.unbooked[day, default: Moved()].received += moved.received
                state.unbooked[day, default: Moved()].connections += moved.connections
            }
        }
    }

    /// Nothing hangs on it that the registry does not have.
    var isAtRest: Bool { state.withLock { $0.connections == 0 && $0.unbooked.isEmpty } }
}
