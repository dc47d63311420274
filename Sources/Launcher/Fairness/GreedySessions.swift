/// Tells sessions that take whole processors from those that take little, by what each used lately.
///
/// Equal shares alone are not enough for somebody who types beside a compiler: the scheduler lets what runs finish its
/// slice, some milliseconds, before the other's turn comes. A greedy session gives way at once instead. That costs it
/// nothing while processors are free.
struct GreedySessions {
    /// Processors used on average over about a second, from which on a session is greedy, and below which no more.
    static let greedyFrom = 0.5
    static let modestBelow = 0.25
    private static let memory = 1e9

    private struct Session {
        var rate: RecentRate
        var isGreedy = false
    }

    private var sessions: [String: Session] = [:]
    private var lastTime: UInt64?
    /// Those that were told to give way.
    private(set) var giveWay: Set<String> = []

    /// Takes what each session has used since it was made, in nanoseconds, at a time in nanoseconds that only rises.
    /// - Returns: what is to change.
    mutating func sample(_ used: [String: UInt64], at time: UInt64) -> (from: Set<String>, to: Set<String>) {
        let elapsed = Double(time - min(lastTime ?? time, time))
        lastTime = time
        var current: [String: Session] = [:]
        for (name, nanoseconds) in used {
            guard var session = sessions[name],
                session.rate.take(nanoseconds, elapsed: elapsed, memory: Self.memory)
            else {
                current[name] = Session(rate: RecentRate(nanoseconds))
                continue
            }
            session.isGreedy = session.rate.value >= (session.isGreedy ? Self.modestBelow : Self.greedyFrom)
            current[name] = session
        }
        sessions = current
        let greedy = Set(current.filter(\.value.isGreedy).keys)
        // Among greedy ones alone their weights decide, which count for nothing once all give way.
        let next = greedy.count == current.count ? [] : greedy
        defer { giveWay = next }
        return (giveWay.subtracting(next).intersection(current.keys), next.subtracting(giveWay))
    }
}
