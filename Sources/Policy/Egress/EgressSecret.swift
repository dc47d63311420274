/// A header that the gateway adds to a session's requests to one host, with a value that no sandbox ever holds.
public struct EgressSecret: Codable, Sendable, Hashable {
    /// A name, no pattern: a secret goes to one host.
    public var host: EgressHost
    /// In lower case.
    public var header: String
    /// Under which name the operator keeps the value.
    public var secret: String

    public init(host: EgressHost, header: String, secret: String) {
        self.host = host
        self.header = header
        self.secret = secret
    }

    /// Only over TLS.
    public static let port = 443
    public static let most = 32

    /// Headers that say where a request goes or where it ends.
    private static let fixed: Set<String> = [
        "host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive", "expect",
        "proxy-authorization", "proxy-connection",
    ]

    /// Whether a text is a header's name that can carry a secret.
    public static func isHeader(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && !fixed.contains(text.lowercased())
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                    || $0 == UInt8(ascii: "-")
            }
    }
}

extension EgressHost: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let host = EgressHost(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not a host")
        }
        self = host
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
