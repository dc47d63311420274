/// One event of a `text/event-stream` (HTML living standard, 9.2).
struct ServerSentEvent: Equatable {
    var id: String?
    var type: String
    var data: String
}

/// Takes an event stream apart, however it is cut into pieces.
struct ServerSentEventParser {
    /// A line without an end is not kept for ever.
    static let longestLine = 8 << 20

    private var line: [UInt8] = []
    private var event = ServerSentEvent(id: nil, type: "message", data: "")
    private var hasData = false
    private var endedWithReturn = false

    mutating func parse(_ bytes: some Sequence<UInt8>) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n") where endedWithReturn:
                endedWithReturn = false
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                endedWithReturn = byte == UInt8(ascii: "\r")
                if let event = endLine() { events.append(event) }
            default:
                endedWithReturn = false
                if line.count < Self.longestLine { line.append(byte) }
            }
        }
        return events
    }

    private mutating func endLine() -> ServerSentEvent? {
        let text = String(decoding: line, as: UTF8.self)
        line.removeAll(keepingCapacity: true)
        guard !text.isEmpty else {
            defer {
                event = ServerSentEvent(id: event.id, type: "message", data: "")
                hasData = false
            }
            return hasData ? event : nil
        }
        let name = text.prefix { $0 != ":" }
        var value = text.dropFirst(name.count + 1)
        if value.first == " " { value = value.dropFirst() }
        switch name {
        case "id": event.id = String(value)
        case "event": event.type = String(value)
        case "data":
            event.data += hasData ? "\n\(value)" : String(value)
            hasData = true
        default: break
        }
        return nil
    }
}
