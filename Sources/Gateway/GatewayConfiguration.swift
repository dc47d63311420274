public import Foundation

/// Where the gateway listens, and how sandboxes show themselves.
public struct GatewayConfiguration: Sendable {
    /// Unix socket on which workers send their sandboxes' model requests.
    public var socketPath: String
    /// What a session's sandbox has in place of a credential. From anywhere else it is refused.
    public var placeholder: @Sendable (UUID) -> String
    /// What sandboxes have that were started by the version before; nil: nothing but their own.
    public var formerPlaceholder: String?
    public var sharing: SharingLimits
    /// Whether a process may speak for a session: its own worker may, another session's may not. nil is a process that
    /// the kernel does not name.
    public var speaksFor: @Sendable (pid_t?, UUID) -> Bool

    public init(
        socketPath: String, formerPlaceholder: String? = nil, sharing: SharingLimits = SharingLimits(),
        speaksFor: @escaping @Sendable (pid_t?, UUID) -> Bool = { _, _ in true },
        placeholder: @escaping @Sendable (UUID) -> String
    ) {
        self.socketPath = socketPath
        self.formerPlaceholder = formerPlaceholder
        self.sharing = sharing
        self.speaksFor = speaksFor
        self.placeholder = placeholder
    }

    func check(_ call: ModelCall, from peer: pid_t?) throws(Refusal) {
        guard speaksFor(peer, call.session) else { throw .foreignWorker }
        // Its first look at whether anybody is there has none.
        guard call.path != "/" else { return }
        let own = placeholder(call.session)
        // All that the sandbox shows must be its own: another session's is a sign of something that went astray.
        let shown = call.placeholders
        guard !shown.isEmpty, shown.allSatisfy({ $0 == own || $0 == formerPlaceholder }) else {
            throw .wrongPlaceholder
        }
    }
}
