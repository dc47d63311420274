import Foundation
public import Gateway

/// A credential for the model API, in clear. Lives in the supervisor's memory alone; described without its values.
public struct ModelCredential: Codable, Sendable, CustomStringConvertible {
    public enum Kind: String, Codable, Sendable, Hashable, CaseIterable {
        /// Sent as `x-api-key`.
        case apiKey = "api_key"
        /// Sent as `Authorization: Bearer`.
        case bearer
        /// The same, renewed by a refresh token.
        case oauth
        /// A company's own gateway, with whatever headers it wants.
        case gateway
    }

    public var kind: Kind
    /// Where its requests go; nil: where all go.
    public var upstream: String?
    public var apiKey: String?
    public var token: String?
    public var refreshToken: String?
    public var tokenURL: String?
    public var tokenForm: TokenRefresh.Form?
    public var clientID: String?
    public var expiresAt: Date?
    public var headers: [String: String]?

    public init(kind: Kind) { self.kind = kind }

    public var description: String { "\(kind.rawValue) <redacted>" }

    /// What is wrong with it; nil: nothing.
    public var problem: String? {
        if let upstream, UpstreamURL(parsing: upstream) == nil {
            return "'upstream' is not where a model can be: write https://host or http://host:port"
        }
        let secrets = [("api_key", apiKey), ("token", token), ("refresh_token", refreshToken)]
        for case (let name, let secret?) in secrets where !UpstreamGrant.isToken(secret) {
            return "'\(name)' has characters that no header can hold"
        }
        switch kind {
        case .apiKey: return apiKey == nil ? "'api_key' is missing" : nil
        case .bearer: return token == nil ? "'token' is missing" : nil
        case .oauth:
            guard token != nil, refreshToken != nil, let tokenURL else {
                return "'token', 'refresh_token' and 'token_url' are needed"
            }
            return Self.isTokenURL(tokenURL) ? nil : "'token_url' must be https, or http on this machine"
        case .gateway:
            guard upstream != nil else { return "'upstream' is missing" }
            let headers = headers ?? [:]
            guard headers.count <= 32 else { return "there are more than 32 headers" }
            for (name, value) in headers {
                guard Self.isHeader(name) else { return "'\(name.prefix(80))' is not a header that can be set" }
                guard (1...16_384).contains(value.utf8.count), value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else {
                    return "the header '\(name)' has characters that no header can hold"
                }
            }
            return nil
        }
    }

    /// Whether its requests can go to something that listens on this box or on a network without TLS. What a tenant's
    /// admin names must not be a way to what is meant for the operator alone.
    var reachesThisBox: Bool {
        [upstream, tokenURL].contains { $0.map { !$0.lowercased().hasPrefix("https://") } ?? false }
    }

    /// How a request shows it.
    var requestHeaders: [(name: String, value: String)] {
        switch kind {
        case .apiKey: [("x-api-key", apiKey ?? "")]
        case .bearer: [("authorization", "Bearer \(token ?? "")")]
        // The API takes OAuth tokens of persons only with this.
        case .oauth: [("authorization", "Bearer \(token ?? "")"), ("anthropic-beta", "oauth-2025-04-20")]
        case .gateway: (headers ?? [:]).sorted { $0.key < $1.key }.map { ($0.key.lowercased(), $0.value) }
        }
    }

    private static func isTokenURL(_ text: String) -> Bool {
        guard let parts = URLComponents(string: text), let host = parts.host, parts.user == nil else { return false }
        return parts.scheme == "https" || (parts.scheme == "http" && ["127.0.0.1", "localhost", "::1"].contains(host))
    }

    private static func isHeader(_ name: String) -> Bool {
        let ours: Set<String> = [
            "host", "content-length", "transfer-encoding", "connection", "te", "upgrade", "trailer",
        ]
        return (1...128).contains(name.utf8.count) && !ours.contains(name.lowercased())
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "-_".utf8.contains(byte)
            }
    }
}
