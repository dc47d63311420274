/// What shares and breakers reckon by.
enum GatewayClock {
    private static let start = ContinuousClock.now

    /// Seconds; it never goes back.
    static var now: Double { (ContinuousClock.now - start) / .seconds(1) }
}
