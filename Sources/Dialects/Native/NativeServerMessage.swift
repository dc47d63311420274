public import Foundation
public import NIOCore
public import SessionCore

/// What a native client is sent as text; terminal bytes go as binary frames.
public enum NativeServerMessage: Sendable, Equatable {
    /// Repaints the screen as of `seq`: reset the terminal, give it this size, feed it `data`.
    case snapshot(seq: UInt64, size: TerminalSize, data: ByteBuffer)
    /// Everything through `seq` has been sent: a client that comes back asks for what is `since` it.
    case mark(seq: UInt64)
    case state(lifecycle: Lifecycle, activity: Activity, activitySince: Date)
    /// Who drives; nil is nobody. `you` tells a client that it is the one.
    case driver(client: Int?, principal: String?, you: Bool)
    /// The session's command is gone; nothing follows but the closing handshake.
    case exit(ExitStatus?, reason: Reason)
    case reapWarning(JSONValue)
    case error(code: String, detail: String)
    case pong

    /// The message as one JSON object.
    public func encoded(allocator: ByteBufferAllocator) -> ByteBuffer {
        switch self {
        case .mark(let seq):
            // The one message that comes often.
            return allocator.buffer(string: #"{"type":"mark","seq":\#(seq)}"#)
        case .pong:
            return allocator.buffer(string: #"{"type":"pong"}"#)
        case .snapshot(let seq, let size, let data):
            let text = Data(data.readableBytesView).base64EncodedString()
            var buffer = allocator.buffer(capacity: text.utf8.count + 96)
            buffer.writeString(#"{"type":"snapshot","seq":\#(seq),"cols":\#(size.cols),"rows":\#(size.rows),"#)
            buffer.writeString(#""encoding":"base64","data":""#)
            buffer.writeString(text)
            buffer.writeString("\"}")
            return buffer
        case .state, .driver, .exit, .reapWarning, .error:
            return json.encoded(allocator: allocator)
        }
    }

    private var json: JSONValue {
        switch self {
        case .mark(let seq): ["type": "mark", "seq": .integer(Int64(clamping: seq))]
        case .pong: ["type": "pong"]
        case .snapshot: .null
        case .state(let lifecycle, let activity, let since):
            [
                "type": "state", "lifecycle": .string(lifecycle.rawValue), "activity": .string(activity.rawValue),
                "activity_since": .string(since.formatted(.rookery)),
            ]
        case .driver(let client, let principal, let you):
            [
                "type": "driver", "client": client.map { .integer(Int64($0)) } ?? .null,
                "principal": principal.map { .string($0) } ?? .null, "you": .bool(you),
            ]
        case .exit(let exit, let reason):
            [
                "type": "exit", "code": exit?.code.map { .integer(Int64($0)) } ?? .null,
                "signal": exit?.signal.map { .integer(Int64($0)) } ?? .null, "reason": .string(reason.rawValue),
            ]
        case .reapWarning(let data): ["type": "reap_warning", "at": data["at"] ?? .null]
        case .error(let code, let detail): ["type": "error", "code": .string(code), "detail": .string(detail)]
        }
    }
}

extension JSONValue {
    /// The value as one JSON document.
    public func encoded(allocator: ByteBufferAllocator) -> ByteBuffer {
        // Encoding fails for non-finite numbers alone, and none is ever put in.
        let data = (try? JSONEncoder.rookery.encode(self)) ?? Data("null".utf8)
        return allocator.buffer(bytes: data)
    }
}
