import NIOCore

/// How fast a sandbox's connections go on to the gateway, which decides about those of all sessions: a tool that connects as
/// fast as it can waits for its own turn, and nobody else does.
struct ConnectionPace {
    /// At once, after a while without any; a package manager opens some dozens.
    private static let burst: Int64 = 128
    /// 50 a second.
    private static let interval = TimeAmount.milliseconds(20)

    /// When the next goes on if it goes at the steady pace.
    private var next = NIODeadline.uptimeNanoseconds(0)

    /// - Returns: when a connection that asks now may go on; not before `now`.
    mutating func turn(at now: NIODeadline) -> NIODeadline {
        let earliest = now - Self.interval * Self.burst
        let turn = max(next, earliest)
        next = turn + Self.interval
        return max(now, turn)
    }
}
