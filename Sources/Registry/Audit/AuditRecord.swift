public import Foundation
public import SessionCore

/// One decision, as it is kept.
public struct AuditRecord: Sendable, Hashable {
    public var id: Int64
    public var time: Date
    public var actor: String
    /// Such as `permission.answer`.
    public var action: String
    public var sessionID: String?
    public var detail: JSONValue
    /// Of this row and of the one before it.
    public var hash: Data
}

/// A decision to be kept.
public struct AuditEntry: Sendable {
    public var tenantID: Int64
    public var time: Date
    public var actor: String
    public var action: String
    public var session: SessionID?
    /// Of the event that told of it: the same event is kept once.
    public var seq: UInt64?
    public var detail: JSONValue
    /// Rules that hold for the whole tenant from now on.
    public var rules: [String]

    public init(
        tenantID: Int64, time: Date, actor: String, action: String, session: SessionID? = nil, seq: UInt64? = nil,
        detail: JSONValue, rules: [String] = []
    ) {
        self.tenantID = tenantID
        self.time = time
        self.actor = actor
        self.action = action
        self.session = session
        self.seq = seq
        self.detail = detail
        self.rules = rules
    }
}
