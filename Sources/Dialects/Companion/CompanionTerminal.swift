public import NIOCore
public import SessionCore

/// Companion's terminal socket (seed-protocols 3.1): bytes to the browser as binary frames, all else as JSON.
public enum CompanionTerminalMessage: Sendable, Equatable {
    case input(String)
    case resize(TerminalSize)

    /// - Throws: ``ClientMessageError``.
    public init(parsing text: String) throws(ClientMessageError) {
        let fields = try ClientFields(parsing: text)
        switch try fields.type() {
        case "input": self = .input(try fields.string("data"))
        case "resize":
            guard let cols = try fields.integer("cols", in: 2...500), let rows = try fields.integer("rows", in: 2...300)
            else { throw .badField("cols", "and 'rows' are needed") }
            self = .resize(TerminalSize(cols: Int(cols), rows: Int(rows)))
        default: throw fields.unknownType()
        }
    }

    /// What such a client is told of what a native one is told; nil: nothing.
    public static func encode(
        _ message: NativeServerMessage, allocator: ByteBufferAllocator
    ) -> (isBinary: Bool, data: ByteBuffer)? {
        switch message {
        case .snapshot(_, _, let data):
            // Drawn on a terminal as it is when it is new: RIS makes it so.
            var buffer = allocator.buffer(capacity: data.readableBytes + 2)
            buffer.writeBytes([0x1b, 0x63])
            buffer.writeImmutableBuffer(data)
            return (true, buffer)
        case .exit(let exit, _):
            let code = exit?.code ?? exit?.signal.map { 128 + $0 }
            let text: JSONValue = ["type": "exit", "exitCode": code.map { .integer(Int64($0)) } ?? .null]
            return (false, text.encoded(allocator: allocator))
        case .error(_, let detail):
            let text: JSONValue = ["type": "error", "message": .string(detail)]
            return (false, text.encoded(allocator: allocator))
        case .mark, .state, .driver, .reapWarning, .pong: return nil
        }
    }
}
