import Foundation
import SessionCore

/// What the server says as text on a terminal WebSocket, as far as a terminal cares (API v1, "Terminal WebSocket").
enum TerminalMessage: Equatable {
    case snapshot(seq: UInt64, data: [UInt8])
    case mark(seq: UInt64)
    /// Whether it is this client that drives.
    case driver(you: Bool)
    case exit(code: Int32?, signal: Int32?, reason: String)
    case reapWarning(at: String)
    case error(String)
    case other

    init(parsing text: [UInt8]) {
        guard let message = try? JSONDecoder().decode(JSONValue.self, from: Data(text)) else {
            self = .other
            return
        }
        let seq = message["seq"]?.integer.flatMap { UInt64(exactly: $0) }
        switch (message["type"]?.string, seq) {
        case ("snapshot", .some(let seq)):
            let data = message["data"]?.string ?? ""
            let isBase64 = message["encoding"]?.string == "base64"
            self = .snapshot(seq: seq, data: isBase64 ? Array(Data(base64Encoded: data) ?? Data()) : Array(data.utf8))
        case ("mark", .some(let seq)): self = .mark(seq: seq)
        case ("driver", _): self = .driver(you: message["you"]?.bool ?? true)
        case ("exit", _):
            self = .exit(
                code: message["code"]?.integer.flatMap { Int32(exactly: $0) },
                signal: message["signal"]?.integer.flatMap { Int32(exactly: $0) },
                reason: message["reason"]?.string ?? "exited")
        case ("reap_warning", _): self = .reapWarning(at: message["at"]?.string ?? "")
        case ("error", _): self = .error(message["detail"]?.string ?? "")
        default: self = .other
        }
    }
}

/// What a client says as text.
enum TerminalRequest {
    case hello(since: UInt64?, size: TerminalSize, mode: AttachMode)
    case resize(TerminalSize)
    case ack(UInt64)
    case takeOver

    var text: String {
        switch self {
        case .hello(let since, let size, let mode):
            #"{"type":"hello","cols":\#(size.cols),"rows":\#(size.rows),"mode":"\#(mode.rawValue)""#
                + (since.map { #","since":\#($0)}"# } ?? "}")
        case .resize(let size): #"{"type":"resize","cols":\#(size.cols),"rows":\#(size.rows)}"#
        case .ack(let seq): #"{"type":"ack","seq":\#(seq)}"#
        case .takeOver: #"{"type":"take_over"}"#
        }
    }
}

enum AttachMode: String { case view, drive }
