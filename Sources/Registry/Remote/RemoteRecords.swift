public import Foundation

/// A device that may dial in.
public struct DeviceRecord: Sendable, Hashable {
    public var id: Int64
    public var tenantID: Int64
    public var ownerID: Int64
    /// The owner's name, for lists.
    public var owner: String
    public var name: String
    /// The key of its signatures, 32 bytes: a signature cannot be checked against a hash.
    public var secret: Data
    public var createdAt: Date
    public var lastSeen: Date?
}

/// A terminal that a device shows.
public struct RemoteSessionRecord: Sendable, Hashable {
    public var id: Int64
    public var uuid: String
    public var deviceID: Int64
    public var startedAt: Date
    public var endedAt: Date?
    public var exitCode: Int64?
    public var directory: String
    public var command: String
    /// Prompts without an answer.
    public var openPrompts: Int
}

/// A question that a remote terminal asks.
public struct PromptRecord: Sendable, Hashable {
    public var id: Int64
    public var sessionID: Int64
    public var createdAt: Date
    public var text: String
    /// What approving and rejecting type.
    public var approveKeys: String
    public var rejectKeys: String
    public var response: String?
    public var respondedAt: Date?
    public var respondedBy: String?
}
