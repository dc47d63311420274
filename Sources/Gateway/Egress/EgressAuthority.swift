public import Foundation
public import Policy

/// Under what a session connects to the world.
public struct EgressGrant: Sendable, Hashable {
    /// Named in refusals, so that its reader knows what to have changed.
    public var policy: String
    public var egress: EgressPolicy
    /// What the session was made with: it reaches at most these; nil: all that the policy lets out.
    public var narrowed: [EgressTarget]?
    /// Whose limits count beside the session's own.
    public var tenant: Int64

    public init(policy: String, egress: EgressPolicy, narrowed: [EgressTarget]? = nil, tenant: Int64) {
        self.policy = policy
        self.egress = egress
        self.narrowed = narrowed
        self.tenant = tenant
    }
}

extension EgressGrant {
    /// - Parameter method: of plain HTTP; nil for a tunnel.
    func allows(_ target: EgressDestination, method: String?) -> Bool {
        egress.allows(target.host, port: target.port, method: method) && isOwn(target, method: method)
    }

    /// Whether the session's own list has it.
    func isOwn(_ target: EgressDestination, method: String?) -> Bool {
        narrowed?.contains { $0.matches(target.host, port: target.port, method: method) } ?? true
    }
}

/// What a session has moved, to be added to its account of a day.
public struct EgressBooking: Sendable, Hashable {
    public var session: UUID
    /// Of UTC: `2026-11-25`.
    public var day: String
    /// Bytes out of the sandbox.
    public var sent: Int64
    public var received: Int64
    public var connections: Int64

    public init(session: UUID, day: String, sent: Int64, received: Int64, connections: Int64) {
        self.session = session
        self.day = day
        self.sent = sent
        self.received = received
        self.connections = connections
    }
}

/// A connection that was refused, or several of one kind.
public struct EgressRefused: Sendable, Hashable {
    /// Host and port, as far as the request said one.
    public var target: String
    /// A word: `policy`, `private_address`, …
    public var reason: String
    /// A sentence for a person.
    public var detail: String
    /// How often, since it was last told of.
    public var count: Int

    public init(target: String, reason: String, detail: String, count: Int) {
        self.target = target
        self.reason = reason
        self.detail = detail
        self.count = count
    }
}

/// Why a secret that a policy names is not sent.
public enum EgressSecretFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// Neither the session's user nor its tenant has one of that name, nor is there a file.
    case notSet
    /// The secret's own list does not have the host.
    case otherHost
    /// It is there, and cannot be read or sent. For the log: what a tool is told has none of it.
    case unusable(String)

    public var description: String {
        switch self {
        case .notSet: "it is not set for the session's user or tenant, and there is no file of --tool-secrets"
        case .otherHost: "the secret's own list of hosts does not have the one that the policy names"
        case .unusable(let why): why
        }
    }
}

/// Knows sessions' policies, keeps their accounts, and hears of what is refused.
public protocol EgressAuthority: Sendable {
    /// nil: no such session runs.
    func egressGrant(of session: UUID) async -> EgressGrant?
    /// Bytes that were booked for a day, both ways together, of the session and of its tenant.
    func egressBooked(of session: UUID, tenant: Int64, day: String) async throws -> (session: Int64, tenant: Int64)
    /// The value of a secret that the session's policy names for a host.
    func egressSecret(
        named name: String, for session: UUID, to host: EgressHost
    ) async throws(EgressSecretFault) -> String
    func book(_ bookings: [EgressBooking]) async throws
    /// For the session's events. Not called more often than somebody can read.
    func egressRefused(_ session: UUID, _ refused: EgressRefused) async
}
