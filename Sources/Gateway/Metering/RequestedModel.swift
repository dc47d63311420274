import NIOCore

/// The value of a JSON document's own `"model"`, found without decoding the document, which is a whole conversation.
enum RequestedModel {
    /// nil when the document has none, or one that is no model's name.
    static func find(in body: ByteBuffer) -> String? {
        body.withUnsafeReadableBytes { bytes in
            var depth = 0
            var at = bytes.startIndex
            /// A key of the outermost object whose value comes next.
            var isValue = false
            var key: Range<Int>?
            while at < bytes.endIndex {
                switch bytes[at] {
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
                case UInt8(ascii: ":") where depth == 1: isValue = true
                case UInt8(ascii: ",") where depth == 1: (isValue, key) = (false, nil)
                case UInt8(ascii: "\""):
                    let start = at + 1
                    guard let end = closingQuote(bytes, from: start) else { return nil }
                    if depth == 1, !isValue { key = start..<end }
                    if depth == 1, isValue, let key, bytes[key].elementsEqual("model".utf8) {
                        return name(bytes[start..<end])
                    }
                    at = end
                default: break
                }
                at += 1
            }
            return nil
        }
    }

    private static func closingQuote(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var at = start
        while at < bytes.endIndex {
            switch bytes[at] {
            case UInt8(ascii: "\\"): at += 2
            case UInt8(ascii: "\""): return at
            default: at += 1
            }
        }
        return nil
    }

    private static func name(_ bytes: UnsafeRawBufferPointer.SubSequence) -> String? {
        guard (1...128).contains(bytes.count), bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") })
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
