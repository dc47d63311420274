public import Policy
public import Registry

/// What a session may reach, what it moved, and what it was refused.
public struct EgressView: Sendable {
    public var policy: String
    /// As it holds now: the policy's, which an operator may have changed since the session was made.
    public var rules: EgressPolicy
    /// What the session was made with: at most these.
    public var narrowed: [EgressTarget]?
    /// Newest first; the first is today where something moved today.
    public var days: [EgressDayRecord]
    /// By kind, newest first.
    public var refusals: [EgressRefusalRecord]

    public init(
        policy: String, rules: EgressPolicy, narrowed: [EgressTarget]? = nil, days: [EgressDayRecord],
        refusals: [EgressRefusalRecord]
    ) {
        self.policy = policy
        self.rules = rules
        self.narrowed = narrowed
        self.days = days
        self.refusals = refusals
    }
}
