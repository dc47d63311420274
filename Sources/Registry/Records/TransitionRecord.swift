public import Foundation
public import SessionCore

/// One change of a session's lifecycle, as it was committed.
public struct TransitionRecord: Codable, Sendable, Hashable {
    public var sessionID: SessionID
    public var incarnation: Int
    /// nil for the first.
    public var from: Lifecycle?
    public var to: Lifecycle
    public var reason: Reason?
    public var detail: String?
    /// Who caused it: a user's name, or `supervisor`.
    public var actor: String
    /// The event's number in the session's log; nil when the worker numbered it.
    public var seq: UInt64?
    public var time: Date

    public init(
        sessionID: SessionID, incarnation: Int, from: Lifecycle?, to: Lifecycle, reason: Reason?, detail: String?,
        actor: String, seq: UInt64?, time: Date
    ) {
        self.sessionID = sessionID
        self.incarnation = incarnation
        self.from = from
        self.to = to
        self.reason = reason
        self.detail = detail
        self.actor = actor
        self.seq = seq
        self.time = time
    }
}
