import Foundation
import NIOCore
public import SessionCore

/// What a native client sends as text on the terminal WebSocket (API v1, "Terminal WebSocket"). Its binary
/// frames are terminal bytes.
public enum NativeClientMessage: Sendable, Equatable {
    /// First on every connection. `since` is the last `mark` the client has seen.
    case hello(since: UInt64?, size: TerminalSize?, mode: Mode)
    case resize(TerminalSize)
    /// The client has drawn everything through this `mark` or `snapshot`.
    case ack(UInt64)
    case takeOver
    case ping

    public enum Mode: String, Codable, Sendable, Equatable {
        case view, drive
    }

    /// Reads one text frame.
    /// - Throws: ``NativeMessageError``.
    public init(parsing text: some Sequence<UInt8>) throws(NativeMessageError) {
        let raw: Raw
        do {
            raw = try JSONDecoder().decode(Raw.self, from: Data(text))
        } catch DecodingError.keyNotFound(let key, _) {
            throw .malformed("the message has no '\(key.stringValue)'")
        } catch DecodingError.typeMismatch(_, let context) {
            throw .malformed("'\(context.codingPath.map(\.stringValue).joined(separator: "."))' has the wrong type")
        } catch {
            throw .malformed("the message is not a JSON object of the terminal protocol")
        }
        switch raw.type {
        case "hello":
            guard let mode = Mode(rawValue: raw.mode ?? "drive") else {
                throw .malformed("'mode' is 'view' or 'drive'")
            }
            self = .hello(since: raw.since, size: raw.size, mode: mode)
        case "resize":
            guard let size = raw.size else { throw .malformed("'resize' needs 'cols' and 'rows'") }
            self = .resize(size)
        case "ack":
            guard let seq = raw.seq else { throw .malformed("'ack' needs 'seq'") }
            self = .ack(seq)
        case "take_over": self = .takeOver
        case "ping": self = .ping
        default: throw .unknownType(String(raw.type.prefix(64)))
        }
    }

    private struct Raw: Decodable {
        var type: String
        var since: UInt64?
        var cols: Int?
        var rows: Int?
        var mode: String?
        var seq: UInt64?

        var size: TerminalSize? {
            guard let cols, let rows else { return nil }
            return TerminalSize(cols: cols, rows: rows)
        }
    }
}

/// Why a text frame was not understood; the connection stays.
public enum NativeMessageError: Error, Sendable, Equatable, CustomStringConvertible {
    case malformed(String)
    case unknownType(String)

    public var code: String {
        switch self {
        case .malformed: "malformed_message"
        case .unknownType: "unknown_type"
        }
    }

    public var description: String {
        switch self {
        case .malformed(let detail): detail
        case .unknownType(let type):
            "the message type '\(type)' is unknown; there are hello, resize, ack, take_over and ping"
        }
    }
}
