public import Foundation

/// One entry of a session's log as the outside sees it. `seq` rises strictly within a session, across
/// incarnations; it is not dense, because terminal output takes numbers too.
public struct SessionEvent: Codable, Sendable, Hashable {
    public var seq: UInt64
    public var time: Date
    public var sessionID: SessionID
    public var incarnation: Int
    public var type: EventType
    public var data: JSONValue

    public init(
        seq: UInt64, time: Date, sessionID: SessionID, incarnation: Int, type: EventType, data: JSONValue = [:]
    ) {
        self.seq = seq
        self.time = time
        self.sessionID = sessionID
        self.incarnation = incarnation
        self.type = type
        self.data = data
    }

    enum CodingKeys: String, CodingKey {
        case seq, time
        case sessionID = "session_id"
        case incarnation, type, data
    }
}

extension JSONEncoder {
    /// The encoder of every document that leaves the project: RFC 3339 times, keys in a stable order.
    public static var rookery: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(date.formatted(.rookery))
        }
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}

extension JSONDecoder {
    /// The counterpart of `JSONEncoder.rookery`.
    public static var rookery: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self)
            guard let date = try? Date(text, strategy: .rookery) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "'\(text)' is not an RFC 3339 time")
            }
            return date
        }
        return decoder
    }
}

extension FormatStyle where Self == Date.ISO8601FormatStyle {
    /// RFC 3339, UTC, milliseconds: `2026-11-21T09:40:00.123Z`.
    public static var rookery: Date.ISO8601FormatStyle { .init(includingFractionalSeconds: true) }
}

extension ParseStrategy where Self == Date.ISO8601FormatStyle {
    /// RFC 3339, UTC, milliseconds: `2026-11-21T09:40:00.123Z`.
    public static var rookery: Date.ISO8601FormatStyle { .init(includingFractionalSeconds: true) }
}
