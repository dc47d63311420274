public import NIOCore

/// Turns terminal bytes into `session_pty_output` messages: text, so an incomplete UTF-8 sequence at the end
/// waits for the next bytes, and what can never be UTF-8 becomes U+FFFD.
public struct EchokitOutputEncoder: Sendable {
    /// The start of a sequence whose rest has not come, at most three bytes.
    private var tail: [UInt8] = []

    public init() {}

    /// The message for these bytes, or nil when they only began a sequence.
    public mutating func encode(_ bytes: ByteBuffer, allocator: ByteBufferAllocator) -> ByteBuffer? {
        var input = tail
        input.append(contentsOf: bytes.readableBytesView)
        let held = Self.incompleteTail(of: input)
        tail = Array(input.suffix(held))
        input.removeLast(held)
        guard !input.isEmpty else { return nil }
        return Self.message(input, allocator: allocator)
    }

    /// What is still held when the output has ended.
    public mutating func finish(allocator: ByteBufferAllocator) -> ByteBuffer? {
        guard !tail.isEmpty else { return nil }
        defer { tail = [] }
        return Self.message(tail, allocator: allocator)
    }

    private static func message(_ bytes: [UInt8], allocator: ByteBufferAllocator) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: bytes.count + bytes.count / 4 + 48)
        buffer.writeStaticString(#"{"type":"session_pty_output","output":""#)
        // Decoding repairs; an already valid run is copied once.
        var text = String(decoding: bytes, as: UTF8.self)
        text.withUTF8 { escape($0, into: &buffer) }
        buffer.writeStaticString("\"}")
        return buffer
    }

    private static func escape(_ utf8: UnsafeBufferPointer<UInt8>, into buffer: inout ByteBuffer) {
        var start = 0
        for index in utf8.indices {
            let byte = utf8[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(utf8)[start..<index]))
            start = index + 1
            switch byte {
            case UInt8(ascii: "\""): buffer.writeStaticString("\\\"")
            case UInt8(ascii: "\\"): buffer.writeStaticString("\\\\")
            case UInt8(ascii: "\n"): buffer.writeStaticString("\\n")
            case UInt8(ascii: "\r"): buffer.writeStaticString("\\r")
            case UInt8(ascii: "\t"): buffer.writeStaticString("\\t")
            default:
                buffer.writeStaticString("\\u00")
                buffer.writeInteger(hexDigit(byte >> 4))
                buffer.writeInteger(hexDigit(byte & 0xf))
            }
        }
        buffer.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(utf8)[start...]))
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// How many bytes at the end begin a UTF-8 sequence that is not complete yet (RFC 3629).
    private static func incompleteTail(of bytes: [UInt8]) -> Int {
        var back = 1
        while back <= 3, back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0b1100_0000 == 0b1000_0000 {
                back += 1
                continue
            }
            let length = byte >= 0xf0 && byte < 0xf5 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1
            return byte < 0xf5 && length > back ? back : 0
        }
        return 0
    }
}
