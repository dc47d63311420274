/// Where the gateway listens.
public struct GatewayConfiguration: Sendable {
    /// Unix socket on which workers send their sandboxes' model requests.
    public var socketPath: String

    public init(socketPath: String) { self.socketPath = socketPath }
}
