public import Foundation

/// A session's stable identity, which is also Claude Code's own session id. Always written in lower case.
public struct SessionID: Sendable, Hashable, CustomStringConvertible {
    public let uuid: UUID

    public init() { self.uuid = UUID() }
    public init(_ uuid: UUID) { self.uuid = uuid }

    /// Parses the 36-character form of RFC 9562 in either case; nil for anything else.
    public init?(parsing text: some StringProtocol) {
        guard text.utf8.count == 36, let uuid = UUID(uuidString: String(text)) else { return nil }
        self.uuid = uuid
    }

    public var description: String { uuid.uuidString.lowercased() }
}

extension SessionID: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = SessionID(parsing: text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not a UUID")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
