/// When a session that nobody uses gives its memory back, and what brings it back.
public struct IdleRules: Codable, Sendable, Hashable {
    /// How long a session may be idle before it is parked. nil: it never is.
    public var timeout: TimeSpan?
    /// How long before the parking the session is warned.
    public var warning: TimeSpan
    /// How long a session that is asked to end has before it is killed.
    public var grace: TimeSpan
    /// How long one incarnation may run. nil: without bound.
    public var maxLifetime: TimeSpan?
    /// How long a session may be idle before its processes are frozen, to be thawed by the next input. nil: never.
    public var freezeAfter: TimeSpan?
    /// What wakes a parked session. `resume` always does.
    public var wakes: Set<WakeReason>

    public init(
        timeout: TimeSpan? = .minutes(20), warning: TimeSpan = .minutes(1), grace: TimeSpan = .seconds(10),
        maxLifetime: TimeSpan? = nil, freezeAfter: TimeSpan? = nil, wakes: Set<WakeReason> = [.input, .attach]
    ) {
        self.timeout = timeout
        self.warning = warning
        self.grace = grace
        self.maxLifetime = maxLifetime
        self.freezeAfter = freezeAfter
        self.wakes = wakes
    }

    enum CodingKeys: String, CodingKey {
        case timeout, warning, grace
        case maxLifetime = "max_lifetime"
        case freezeAfter = "freeze_after"
        case wakes
    }
}

/// An intent of a client that may wake a parked session.
public enum WakeReason: String, Codable, Sendable, Hashable, CaseIterable {
    case input
    case attach
}

/// How much of a session's past is kept on disk.
public struct JournalRules: Codable, Sendable, Hashable {
    /// Terminal output; what is older is dropped. Conversation and audit events stay.
    public var bytes: ByteSize
    public var age: TimeSpan?

    public init(bytes: ByteSize = .mebibytes(64), age: TimeSpan? = nil) {
        self.bytes = bytes
        self.age = age
    }
}
