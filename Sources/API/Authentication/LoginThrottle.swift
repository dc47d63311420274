import Synchronization

/// Limits failed logins: per peer address, and for all together, so that neither one machine nor many can guess.
final class LoginThrottle: Sendable {
    static let window: Duration = .seconds(60)
    static let mostEach = 10
    static let mostTogether = 300

    private struct State {
        var since: ContinuousClock.Instant
        var failures: [String: Int] = [:]
        var together = 0
    }

    private let state = Mutex(State(since: .now))

    /// Refuses a further try. Throws before the token is looked at, so that a refused try says nothing about it.
    func check(_ remote: String, now: ContinuousClock.Instant = .now) throws(Problem) {
        let wait: Duration? = state.withLock { state in
            if now - state.since >= Self.window { state = State(since: now) }
            guard state.failures[remote, default: 0] >= Self.mostEach || state.together >= Self.mostTogether else {
                return nil
            }
            return Self.window - (now - state.since)
        }
        guard let wait else { return }
        throw Problem(
            429, "too_many_logins", "too many failed logins; wait a minute",
            retryAfter: max(1, Int(wait.components.seconds) + 1))
    }

    /// The map is bounded by `mostTogether` entries a window.
    func failed(_ remote: String) {
        state.withLock { state in
            state.failures[remote, default: 0] += 1
            state.together += 1
        }
    }
}
