public import Foundation

/// One request of a session to the model API: what the log of requests and the accounts are made of. Never a body:
/// those are apart, where a policy wants them (``KeptBodies``).
public struct ModelRequestRecord: Sendable, Hashable {
    public enum Outcome: String, Sendable, Hashable, CaseIterable {
        /// Under way. One that is found at a start was cut off by the end of the supervisor before.
        case open
        /// Answered to its end, an error of the API included.
        case complete
        /// The answer broke off, or the session went away before its end.
        case cut
        /// The gateway's own answer.
        case refused
        /// Upstream gave no answer.
        case unanswered
    }

    /// Ours: the same for every state of one request.
    public var id: UUID
    /// A session's id.
    public var session: UUID
    public var method: String
    /// Without its query.
    public var path: String
    public var outcome: Outcome
    /// The one that answered, else the one that was asked for.
    public var model: String?
    public var status: Int?
    /// The API's own name for the request. What comes twice under one name counts once.
    public var requestID: String?
    public var usage: TokenUsage
    /// In nano-USD.
    public var cost: Int64
    public var startedAt: Date
    public var firstByteAt: Date?
    public var endedAt: Date?

    public init(
        id: UUID = UUID(), session: UUID, method: String, path: String, outcome: Outcome = .open,
        model: String? = nil, status: Int? = nil, requestID: String? = nil, usage: TokenUsage = .none, cost: Int64 = 0,
        startedAt: Date, firstByteAt: Date? = nil, endedAt: Date? = nil
    ) {
        self.id = id
        self.session = session
        self.method = method
        self.path = path
        self.outcome = outcome
        self.model = model
        self.status = status
        self.requestID = requestID
        self.usage = usage
        self.cost = cost
        self.startedAt = startedAt
        self.firstByteAt = firstByteAt
        self.endedAt = endedAt
    }
}

/// Where requests are written down.
public protocol ModelRequestLedger: Sendable {
    /// Takes the request as it is now, in place of what was said of it before. Returns when that will survive a power
    /// cut; also when the caller's task is cancelled.
    func record(_ request: ModelRequestRecord) async throws
    /// Keeps bodies of a request that was recorded.
    func keep(_ bodies: KeptBodies, of request: UUID) async throws
}
