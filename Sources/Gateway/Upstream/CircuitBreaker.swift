/// Whether an upstream is worth asking: a pure function of how it answered and the time.
///
/// After so many requests in a row without any answer nobody asks for a while, so that sessions are told at once rather
/// than after a time-out; then one request tries, and its fate decides. An answer is an answer, be it an error.
struct CircuitBreaker: Sendable, Hashable {
    /// Seconds on a clock that never goes back.
    typealias Time = Double

    enum State: Sendable, Hashable {
        case closed
        case open(until: Time)
        /// One request tries.
        case probing
    }

    static let threshold = 5
    private static let shortest = 2.0
    private static let longest = 60.0

    private(set) var state = State.closed
    private(set) var failures = 0
    private var pause = CircuitBreaker.shortest

    /// Seconds until one may try; nil: the caller may.
    mutating func begin(at now: Time) -> Double? {
        switch state {
        case .closed: return nil
        case .open(let until) where now < until: return until - now
        case .open:
            state = .probing
            return nil
        case .probing: return 1
        }
    }

    mutating func answered() { self = CircuitBreaker() }

    mutating func failed(at now: Time) {
        failures += 1
        switch state {
        case .closed where failures >= Self.threshold: state = .open(until: now + pause)
        case .probing:
            pause = min(pause * 2, Self.longest)
            state = .open(until: now + pause)
        // One that was under way already says nothing new.
        case .closed, .open: break
        }
    }

    /// The client went away before it was known.
    mutating func gaveUp(at now: Time) {
        if state == .probing { state = .open(until: now) }
    }
}
