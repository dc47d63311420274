public import Foundation
public import SessionCore

/// What a session moved on one day, or is to have moved in addition.
public struct EgressDayRecord: Sendable, Hashable {
    public var sessionID: SessionID
    /// Of UTC: `2026-11-25`.
    public var day: String
    /// Bytes out of the sandbox.
    public var sent: Int64
    public var received: Int64
    public var connections: Int64

    public init(sessionID: SessionID, day: String, sent: Int64, received: Int64, connections: Int64) {
        self.sessionID = sessionID
        self.day = day
        self.sent = sent
        self.received = received
        self.connections = connections
    }
}

/// One kind of connection that a session was refused.
public struct EgressRefusalRecord: Sendable, Hashable {
    public var target: String
    public var reason: String
    public var detail: String
    public var count: Int64
    public var firstAt: Date
    public var lastAt: Date

    public init(target: String, reason: String, detail: String, count: Int64, firstAt: Date, lastAt: Date) {
        self.target = target
        self.reason = reason
        self.detail = detail
        self.count = count
        self.firstAt = firstAt
        self.lastAt = lastAt
    }
}
