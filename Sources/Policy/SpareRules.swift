/// Sandboxes that are made ahead of the sessions that will have them.
public struct SpareRules: Codable, Sendable, Hashable {
    /// How many wait for each tenant that uses the policy; 0: none are made.
    public var count: Int
    /// How old one may become before another takes its place.
    public var age: TimeSpan
    /// How long after its last session under the policy a tenant has some.
    public var linger: TimeSpan

    public init(count: Int = 0, age: TimeSpan = .hours(1), linger: TimeSpan = .minutes(30)) {
        self.count = count
        self.age = age
        self.linger = linger
    }
}
