public import Foundation

/// Where the gateway listens, and how sandboxes show themselves.
public struct GatewayConfiguration: Sendable {
    /// Unix socket on which workers send their sandboxes' model requests.
    public var socketPath: String
    /// What a session's sandbox has in place of a credential. From anywhere else it is refused.
    public var placeholder: @Sendable (UUID) -> String

    public init(socketPath: String, placeholder: @escaping @Sendable (UUID) -> String) {
        self.socketPath = socketPath
        self.placeholder = placeholder
    }
}
