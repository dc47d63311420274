public import Foundation
public import SessionCore

/// Time as the supervisor sees it; tests bring their own. What is shown and stored is a date, what is decided goes by
/// ``monotonic``.
public struct SupervisorClock: Sendable {
    public var now: @Sendable () -> Date
    public var monotonic: @Sendable () -> MonotonicTime
    public var sleep: @Sendable (Duration) async throws -> Void

    public init(
        now: @escaping @Sendable () -> Date, monotonic: @escaping @Sendable () -> MonotonicTime,
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.now = now
        self.monotonic = monotonic
        self.sleep = sleep
    }

    // The suspending clock stands still while the machine sleeps, as CLOCK_MONOTONIC does.
    public static let system = SupervisorClock(
        now: { Date() }, monotonic: { .now }, sleep: { try await Task.sleep(for: $0, clock: .suspending) })
}
