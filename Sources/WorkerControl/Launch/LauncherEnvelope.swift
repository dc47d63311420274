/// One request as it crosses the launcher's socket: one JSON object per SOCK_SEQPACKET message. Requests run
/// concurrently, so the replies come in the order they are done and carry the request's id.
public struct LauncherRequestEnvelope: Codable, Sendable {
    /// The supervisor's choice; unique among the requests that wait for a reply.
    public var id: UInt64
    public var request: LauncherRequest

    public init(id: UInt64, request: LauncherRequest) {
        self.id = id
        self.request = request
    }
}

/// The answer to the request of the same id. Every request that parses gets exactly one; the launcher closes the
/// socket on one that does not.
public struct LauncherReplyEnvelope: Codable, Sendable {
    public var id: UInt64
    public var reply: LauncherReply

    public init(id: UInt64, reply: LauncherReply) {
        self.id = id
        self.reply = reply
    }
}
