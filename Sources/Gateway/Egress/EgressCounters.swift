import Synchronization

/// What the proxy has done since it started, for monitoring.
public final class EgressCounters: Sendable {
    public struct Values: Sendable, Hashable {
        public var tunnels = 0
        public var plainRequests = 0
        public var openNow = 0
        /// By reason.
        public var refused: [String: Int] = [:]
        /// Bytes out of sandboxes.
        public var sent: Int64 = 0
        public var received: Int64 = 0
    }

    private let values = Mutex(Values())

    public init() {}

    public var now: Values { values.withLock { $0 } }

    func change(_ change: (inout Values) -> Void) { values.withLock { change(&$0) } }
}
