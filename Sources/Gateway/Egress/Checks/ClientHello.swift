/// The server's name in the first message of a TLS client (RFC 8446, 4.1.2; RFC 6066, 3). Nothing else of it is read.
enum ClientHello {
    enum Reading: Equatable {
        /// More bytes are needed.
        case incomplete
        /// Not the beginning of TLS.
        case other
        /// nil: it names no server.
        case server(String?)
    }

    /// A longer one is refused: real ones have some hundred bytes, with post-quantum keys two thousand.
    static let longest = 16 << 10

    static func read(_ bytes: [UInt8]) -> Reading {
        // The handshake may come in several records.
        var handshake: [UInt8] = []
        var records = Reader(bytes[...])
        while true {
            guard let type = records.byte() else { return more(handshake) }
            guard type == 0x16 else { return .other }
            guard let major = records.byte() else { return .incomplete }
            guard major == 3 else { return .other }
            guard records.byte() != nil, let length = records.number(2) else { return .incomplete }
            guard length > 0, length <= 16_640 else { return .other }
            let part = records.atMost(length)
            handshake += part
            guard part.count == length else { return more(handshake) }
            if case let reading = more(handshake), reading != .incomplete { return reading }
        }
    }

    private static func more(_ handshake: [UInt8]) -> Reading {
        var message = Reader(handshake[...])
        guard let type = message.byte() else { return .incomplete }
        guard type == 1 else { return .other }
        guard let length = message.number(3) else { return .incomplete }
        guard length <= longest else { return .other }
        guard let body = message.exactly(length) else { return .incomplete }
        var hello = Reader(body)
        guard hello.exactly(34) != nil, let session = hello.byte(), hello.exactly(Int(session)) != nil,
            let suites = hello.number(2), hello.exactly(suites) != nil, let methods = hello.byte(),
            hello.exactly(Int(methods)) != nil
        else { return .other }
        guard hello.left > 0 else { return .server(nil) }
        guard let total = hello.number(2) else { return .other }
        guard let list = hello.exactly(total) else { return .other }
        guard hello.left == 0 else { return .other }
        var extensions = Reader(list)
        var found: Reading?
        while extensions.left > 0 {
            guard let kind = extensions.number(2), let size = extensions.number(2),
                let content = extensions.exactly(size)
            else { return .other }
            guard kind == 0 else { continue }
            // Two names would leave it to the server which of them holds.
            guard found == nil else { return .other }
            found = name(in: content)
        }
        return found ?? .server(nil)
    }

    private static func name(in content: ArraySlice<UInt8>) -> Reading {
        var reader = Reader(content)
        // One name, of the one kind there is.
        guard let total = reader.number(2), total == reader.left, reader.byte() == 0, let size = reader.number(2),
            let name = reader.exactly(size), reader.left == 0
        else { return .other }
        return .server(String(decoding: name, as: UTF8.self).lowercased())
    }

    private struct Reader {
        private var bytes: ArraySlice<UInt8>

        init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

        var left: Int { bytes.count }

        mutating func byte() -> UInt8? { bytes.popFirst() }

        mutating func number(_ count: Int) -> Int? {
            exactly(count)?.reduce(0) { $0 << 8 | Int($1) }
        }

        mutating func exactly(_ count: Int) -> ArraySlice<UInt8>? {
            guard bytes.count >= count else { return nil }
            return atMost(count)
        }

        mutating func atMost(_ count: Int) -> ArraySlice<UInt8> {
            let part = bytes.prefix(count)
            bytes = bytes.dropFirst(count)
            return part
        }
    }
}
