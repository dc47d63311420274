/// Processors that something used on average lately, from what it has used since it was made. What is longer ago counts less.
struct RecentRate {
    private(set) var value = 0.0
    private var used: UInt64

    /// A first look says nothing about a rate.
    init(_ used: UInt64) { self.used = used }

    /// - Parameters:
    ///   - used: nanoseconds, no less than before.
    ///   - elapsed: nanoseconds since the last look, above 0.
    ///   - memory: over about how many nanoseconds the average goes.
    /// - Returns: false for less than before, which is of something made anew under the name; nothing is changed then.
    mutating func take(_ used: UInt64, elapsed: Double, memory: Double) -> Bool {
        guard used >= self.used, elapsed > 0 else { return false }
        value += (Double(used - self.used) / elapsed - value) * min(elapsed / memory, 1)
        self.used = used
        return true
    }
}
