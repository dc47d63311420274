import Foundation
public import SessionCore

/// What an echokit client sends as text or posts (seed-protocols 1.2). Every message has a PascalCase tag and a
/// snake_case one; unknown fields are ignored. A binary frame equals `bytesInput`.
public enum EchokitClientMessage: Sendable, Equatable {
    case createSession
    case currentState
    case input(String)
    case bytesInput([UInt8])
    case cancel
    case confirm
    case select(Int)

    /// More steps than any dialog has entries; above it a `select` is a mistake.
    public static let largestSelect = 1000

    /// nil for whatever echokit answers with ``EchokitServerMessage/malformed``.
    public init?(parsing text: some Sequence<UInt8>) {
        guard let message = try? JSONDecoder().decode(Self.self, from: Data(text)) else { return nil }
        self = message
    }

    /// The same message as a JSON value, when it came by REST.
    public init?(_ value: JSONValue) {
        guard let data = try? JSONEncoder.rookery.encode(value) else { return nil }
        self.init(parsing: data)
    }

    /// True when the session answers at once, whatever it is doing.
    public var isQuestion: Bool { self == .createSession || self == .currentState }
}

extension EchokitClientMessage: Decodable {
    private enum CodingKeys: CodingKey {
        case type, input, index
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(String.self, forKey: .type) {
        case "CreateSession", "create_session": self = .createSession
        case "CurrentState", "get_current_state": self = .currentState
        case "Input", "input": self = .input(try container.decode(String.self, forKey: .input))
        case "BytesInput", "bytes_input": self = .bytesInput(try container.decode([UInt8].self, forKey: .input))
        case "Cancel", "cancel": self = .cancel
        case "Confirm", "confirm": self = .confirm
        case "Select", "select":
            let index = try container.decode(UInt.self, forKey: .index)
            guard index <= Self.largestSelect else {
                throw DecodingError.dataCorruptedError(forKey: .index, in: container, debugDescription: "too large")
            }
            self = .select(Int(index))
        case let other:
            throw DecodingError.dataCorruptedError(
                forKey: .type, in: container, debugDescription: "unknown type '\(other)'")
        }
    }
}
