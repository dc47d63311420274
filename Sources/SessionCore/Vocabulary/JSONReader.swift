public import NIOCore

/// Where and why a text is not JSON.
public struct JSONSyntaxError: Error, Hashable {
    public var message: String
    /// Both from 1; the column counts bytes.
    public var line: Int
    public var column: Int
}

/// Reads JSON (RFC 8259) from hostile bytes: linear time, bounded depth, no duplicate keys, errors with their place.
///
/// Foundation's decoder names no place, allows 512 levels, takes the last of two equal keys, and costs several
/// thrown errors for every value of unknown type, which a body of a million bytes turns into seconds.
public struct JSONReader {
    public static let deepest = 64

    private let bytes: [UInt8]
    private var index = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// - Throws: ``JSONSyntaxError``.
    public static func parse(_ bytes: some Sequence<UInt8>) throws(JSONSyntaxError) -> JSONValue {
        var reader = JSONReader(Array(bytes))
        let value = try reader.value()
        reader.skipSpace()
        guard reader.index == reader.bytes.count else { throw reader.error("text after the value") }
        return value
    }

    public static func parse(_ buffer: ByteBuffer) throws(JSONSyntaxError) -> JSONValue {
        try parse(buffer.readableBytesView)
    }

    private mutating func value() throws(JSONSyntaxError) -> JSONValue {
        skipSpace()
        guard let byte = peek else { throw error("unexpected end") }
        switch byte {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error("unexpected character")
        }
    }

    private mutating func object() throws(JSONSyntaxError) -> JSONValue {
        try descend()
        defer { depth -= 1 }
        var members: [String: JSONValue] = [:]
        skipSpace()
        if accept("}") { return .object(members) }
        while true {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw error("expected a key in double quotes") }
            let start = index
            let key = try string()
            skipSpace()
            guard accept(":") else { throw error("expected ':'") }
            let member = try value()
            guard members.updateValue(member, forKey: key) == nil else {
                index = start
                throw error("duplicate key")
            }
            skipSpace()
            if accept(",") { continue }
            if accept("}") { return .object(members) }
            throw error("expected ',' or '}'")
        }
    }

    private mutating func array() throws(JSONSyntaxError) -> JSONValue {
        try descend()
        defer { depth -= 1 }
        var elements: [JSONValue] = []
        skipSpace()
        if accept("]") { return .array(elements) }
        while true {
            elements.append(try value())
            skipSpace()
            if accept(",") { continue }
            if accept("]") { return .array(elements) }
            throw error("expected ',' or ']'")
        }
    }

    private mutating func descend() throws(JSONSyntaxError) {
        guard depth < Self.deepest else { throw error("nested deeper than \(Self.deepest) levels") }
        depth += 1
        index += 1
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        index += 1
        var text: [UInt8] = []
        let start = index
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                guard let string = String(validating: text, as: UTF8.self) else {
                    index = start
                    throw error("a string that is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"):
                index += 1
                try escape(into: &text)
            case 0..<0x20: throw error("a control character in a string")
            default:
                text.append(byte)
                index += 1
            }
        }
        throw error("a string without end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONSyntaxError) {
        guard let byte = peek else { throw error("a string without end") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code) {
                guard accept("\\"), accept("u") else { throw error("half of a surrogate pair") }
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw error("half of a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw error("half of a surrogate pair") }
            text.append(contentsOf: UTF8.encode(scalar) ?? .init())
        default:
            index -= 1
            throw error("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(JSONSyntaxError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("expected four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            index += 1
        }
        return code
    }

    private mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let start = index
        var whole = true
        _ = accept("-")
        if !accept("0") { try digits() }
        if accept(".") {
            whole = false
            try digits()
        }
        if accept("e") || accept("E") {
            whole = false
            if !accept("-") { _ = accept("+") }
            try digits()
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if whole, let integer = Int64(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else {
            index = start
            throw error("a number out of range")
        }
        return .number(number)
    }

    private mutating func digits() throws(JSONSyntaxError) {
        let start = index
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        guard index > start else { throw error("expected a digit") }
    }

    private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        let count = word.utf8CodeUnitCount
        guard index + count <= bytes.count,
            bytes[index..<index + count].elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: count))
        else { throw error("expected '\(word)'") }
        index += count
        return value
    }

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { index += 1 }
    }

    private func error(_ message: String) -> JSONSyntaxError {
        let before = bytes[..<min(index, bytes.count)]
        let lineStart = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
        return JSONSyntaxError(
            message: message, line: before.count { $0 == 0x0a } + 1, column: before.count - lineStart + 1)
    }
}
