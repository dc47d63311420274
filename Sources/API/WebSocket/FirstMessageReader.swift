import NIOCore

/// A breach of RFC 6455 by the client, with the close code that answers it.
struct WebSocketViolation: Error, Hashable {
    var code: UInt16
    var reason: String
}

/// Reads whole messages from a client's raw WebSocket bytes and keeps those bytes, so that a message read here can
/// be handed on to a worker as if nobody had looked. No I/O.
struct FirstMessageReader {
    /// Largest message unless another limit is set, and with its frames' heads the most this ever holds.
    static let largest = 1 << 20

    enum Item: Equatable {
        case text(String, raw: ByteBuffer)
        case binary(raw: ByteBuffer)
        case ping(ByteBuffer)
        case close(UInt16)
    }

    /// What one message may have.
    private let limit: Int
    private var unread = ByteBuffer()
    /// The frames of a message whose last one is not there yet.
    private var partial: (text: Bool, payload: ByteBuffer, raw: ByteBuffer)?

    init(limit: Int = Self.largest) { self.limit = limit }

    mutating func feed(_ bytes: ByteBuffer) {
        unread.writeImmutableBuffer(bytes)
        if unread.readerIndex > 64 * 1024 { unread.discardReadBytes() }
    }

    /// Everything that was not returned in a message: what the worker must get after that message.
    var rest: ByteBuffer {
        var rest = partial?.raw ?? ByteBuffer()
        rest.writeImmutableBuffer(unread)
        return rest
    }

    /// The next whole item, nil when more bytes are needed.
    mutating func next() throws(WebSocketViolation) -> Item? {
        while let frame = try frame() {
            switch frame.opcode {
            case 0x0:
                guard var message = partial else {
                    throw WebSocketViolation(code: 1002, reason: "no message to continue")
                }
                partial = nil
                message.payload.writeImmutableBuffer(frame.payload)
                message.raw.writeImmutableBuffer(frame.raw)
                guard message.payload.readableBytes <= limit, message.raw.readableBytes <= 2 * limit
                else {
                    throw WebSocketViolation(code: 1009, reason: "the message is too large")
                }
                if frame.final { return try item(text: message.text, message.payload, message.raw) }
                partial = message
            case 0x1, 0x2:
                guard partial == nil else {
                    throw WebSocketViolation(code: 1002, reason: "a message inside a message")
                }
                if frame.final { return try item(text: frame.opcode == 1, frame.payload, frame.raw) }
                partial = (frame.opcode == 1, frame.payload, frame.raw)
            case 0x8:
                var payload = frame.payload
                return .close(payload.readInteger(as: UInt16.self) ?? 1000)
            case 0x9: return .ping(frame.payload)
            case 0xA: continue
            default: throw WebSocketViolation(code: 1002, reason: "an unknown kind of frame")
            }
        }
        return nil
    }

    private func item(
        text: Bool, _ payload: ByteBuffer, _ raw: ByteBuffer
    ) throws(WebSocketViolation) -> Item {
        guard text else { return .binary(raw: raw) }
        guard let string = String(validating: payload.readableBytesView, as: UTF8.self) else {
            throw WebSocketViolation(code: 1007, reason: "text that is not UTF-8")
        }
        return .text(string, raw: raw)
    }

    private mutating func frame() throws(WebSocketViolation) -> (
        final: Bool, opcode: UInt8, payload: ByteBuffer, raw: ByteBuffer
    )? {
        var view = unread
        guard let first = view.readInteger(as: UInt8.self), let second = view.readInteger(as: UInt8.self) else {
            return nil
        }
        let opcode = first & 0x0F
        let final = first & 0x80 != 0
        guard first & 0x70 == 0 else { throw WebSocketViolation(code: 1002, reason: "no extension was agreed on") }
        guard second & 0x80 != 0 else {
            throw WebSocketViolation(code: 1002, reason: "a client's frame must be masked")
        }
        var length = UInt64(second & 0x7F)
        if opcode >= 8, !final || length > 125 {
            throw WebSocketViolation(code: 1002, reason: "a control frame must be short and whole")
        }
        if length == 126 {
            guard let extended = view.readInteger(as: UInt16.self) else { return nil }
            length = UInt64(extended)
        } else if length == 127 {
            guard let extended = view.readInteger(as: UInt64.self) else { return nil }
            length = extended
        }
        guard length <= UInt64(limit) else {
            throw WebSocketViolation(code: 1009, reason: "the message is too large")
        }
        guard let mask = view.readBytes(length: 4), var payload = view.readSlice(length: Int(length)) else {
            return nil
        }
        payload.withUnsafeMutableReadableBytes { bytes in
            for index in bytes.indices { bytes[index] ^= mask[index & 3] }
        }
        let size = unread.readableBytes - view.readableBytes
        guard let raw = unread.readSlice(length: size) else { return nil }
        return (final, opcode, payload, raw)
    }
}

/// Frames of the server's own, never masked.
enum ServerFrame {
    static func text(_ text: String) -> ByteBuffer { frame(0x1, ByteBuffer(string: text)) }
    static func ping() -> ByteBuffer { frame(0x9, ByteBuffer()) }
    static func pong(_ payload: ByteBuffer) -> ByteBuffer { frame(0xA, payload) }

    static func close(_ code: UInt16, _ reason: String = "") -> ByteBuffer {
        var payload = ByteBuffer()
        payload.writeInteger(code)
        payload.writeString(String(reason.prefix(100)))
        return frame(0x8, payload)
    }

    private static func frame(_ opcode: UInt8, _ payload: ByteBuffer) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(0x80 | opcode)
        switch payload.readableBytes {
        case 0...125: buffer.writeInteger(UInt8(payload.readableBytes))
        case 126...65535:
            buffer.writeInteger(UInt8(126))
            buffer.writeInteger(UInt16(payload.readableBytes))
        default:
            buffer.writeInteger(UInt8(127))
            buffer.writeInteger(UInt64(payload.readableBytes))
        }
        buffer.writeImmutableBuffer(payload)
        return buffer
    }
}
