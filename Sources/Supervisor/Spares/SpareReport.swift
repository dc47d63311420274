/// The spares of the box, for operators (`GET /v1/spares`).
public struct SpareReport: Codable, Sendable, Hashable {
    /// One tenant's, under one policy.
    public struct Pool: Codable, Sendable, Hashable {
        public var tenant: String
        public var policy: String
        /// By the policy; 0 when the tenant has not used it for its time.
        public var wanted: Int
        public var ready: Int
        /// Of the oldest that is ready.
        public var oldestSeconds: Double?
        /// Why the last one could not be made, and how soon it is tried again.
        public var fault: String?
        public var retrySeconds: Double?

        public init(
            tenant: String, policy: String, wanted: Int, ready: Int, oldestSeconds: Double?, fault: String?,
            retrySeconds: Double?
        ) {
            self.tenant = tenant
            self.policy = policy
            self.wanted = wanted
            self.ready = ready
            self.oldestSeconds = oldestSeconds
            self.fault = fault
            self.retrySeconds = retrySeconds
        }

        enum CodingKeys: String, CodingKey {
            case tenant, policy, wanted, ready
            case oldestSeconds = "oldest_seconds"
            case fault
            case retrySeconds = "retry_seconds"
        }
    }

    public var pools: [Pool]
    /// Since the start: spares made, sessions that had one, sessions that could have had one and began cold.
    public var made: Int
    public var claimed: Int
    public var missed: Int
    /// Spares that went unused, by reason.
    public var dropped: [String: Int]

    public init(pools: [Pool] = [], made: Int = 0, claimed: Int = 0, missed: Int = 0, dropped: [String: Int] = [:]) {
        self.pools = pools
        self.made = made
        self.claimed = claimed
        self.missed = missed
        self.dropped = dropped
    }
}
