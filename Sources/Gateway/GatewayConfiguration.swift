/// Where the gateway listens, where it sends model requests, and with which credential.
public struct GatewayConfiguration: Sendable {
    /// Unix socket on which workers send their sandboxes' model requests.
    public var socketPath: String
    /// `https://api.anthropic.com`, or the scripted model's address.
    public var upstream: String
    /// Added to every request outside the sandbox; nil for an upstream that needs none.
    public var apiKey: String?

    public init(socketPath: String, upstream: String, apiKey: String?) {
        self.socketPath = socketPath
        self.upstream = upstream
        self.apiKey = apiKey
    }
}

extension GatewayConfiguration: CustomStringConvertible {
    /// Without the key.
    public var description: String {
        "gateway \(socketPath) → \(upstream), key \(apiKey == nil ? "none" : "<redacted>")"
    }
}
