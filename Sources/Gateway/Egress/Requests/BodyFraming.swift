/// How long a request's body is.
enum BodyFraming: Sendable, Hashable {
    case none
    case length(Int64)
    case chunked
}

/// Follows a body to its end, so that nothing behind it is taken for a part of it.
struct BodyReader: Sendable {
    struct Malformed: Error {}

    private enum State {
        case length(Int64)
        /// Digits of a chunk's size so far.
        case size(UInt64, digits: Int)
        case sizeEnd(UInt64)
        case data(UInt64)
        case dataEnd(Int)
        case lastEnd(Int)
        case over
    }

    private var state: State

    init(_ framing: BodyFraming) {
        state =
            switch framing {
            case .none: .over
            case .length(let count): .length(count)
            case .chunked: .size(0, digits: 0)
            }
    }

    var isOver: Bool { if case .over = state { true } else { false } }

    /// How many of the bytes belong to the body.
    /// - Throws: for chunks with extensions or trailers, or what is no chunk at all.
    mutating func take(_ bytes: some Collection<UInt8>) throws(Malformed) -> Int {
        var taken = 0
        var rest = bytes[...]
        while !rest.isEmpty {
            switch state {
            case .over: return taken
            case .length(let left):
                let part = Int(min(left, Int64(rest.count)))
                state = left == Int64(part) ? .over : .length(left - Int64(part))
                taken += part
                rest = rest.dropFirst(part)
            case .data(let left):
                let part = Int(min(left, UInt64(rest.count)))
                state = left == UInt64(part) ? .dataEnd(0) : .data(left - UInt64(part))
                taken += part
                rest = rest.dropFirst(part)
            default:
                guard let byte = rest.popFirst() else { return taken }
                try step(byte)
                taken += 1
            }
        }
        return taken
    }

    private mutating func step(_ byte: UInt8) throws(Malformed) {
        switch (state, byte) {
        case (.size(let size, let digits), _):
            if byte == UInt8(ascii: "\r"), digits > 0 {
                state = .sizeEnd(size)
            } else if let digit = Self.digit(byte), digits < 15 {
                state = .size(size << 4 | digit, digits: digits + 1)
            } else {
                throw Malformed()
            }
        case (.sizeEnd(let size), UInt8(ascii: "\n")): state = size == 0 ? .lastEnd(0) : .data(size)
        case (.dataEnd(0), UInt8(ascii: "\r")): state = .dataEnd(1)
        case (.dataEnd(1), UInt8(ascii: "\n")): state = .size(0, digits: 0)
        case (.lastEnd(0), UInt8(ascii: "\r")): state = .lastEnd(1)
        case (.lastEnd(1), UInt8(ascii: "\n")): state = .over
        default: throw Malformed()
        }
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}
