import Crypto
import Glibc

/// The SHA-256 of a blob, which is also its name.
public struct ImageDigest: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    public let hexadecimal: String

    /// Reads `sha256-` and 64 hexadecimal digits; nil for anything else.
    public init?(parsing text: some StringProtocol) {
        let digits = text.dropFirst(Self.prefix.count)
        guard text.hasPrefix(Self.prefix), digits.utf8.count == 64,
            digits.utf8.allSatisfy({
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            })
        else { return nil }
        hexadecimal = String(digits)
    }

    /// Hashes a file from its beginning. Reads by position: the descriptor's offset stays.
    public init(of descriptor: Int32) throws(ImageError) {
        var hash = SHA256()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var offset: off_t = 0
        while true {
            let count = pread(descriptor, &buffer, buffer.count, offset)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                let code = errno
                throw ImageError(
                    "a blob cannot be read: \(String(cString: strerror(code)))", remedy: "check the disk", errno: code)
            }
            if count == 0 { break }
            buffer.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            offset += off_t(count)
        }
        hexadecimal = Self.digits(of: hash.finalize())
    }

    /// Hashes a text.
    public init(of text: String) { hexadecimal = Self.digits(of: SHA256.hash(data: Array(text.utf8))) }

    public var description: String { Self.prefix + hexadecimal }
    /// The blob's file in `blobs`.
    public var fileName: String { description + Self.suffix }

    /// The digest that a blob's file is named by; nil for another file.
    public init?(fileName: String) {
        guard fileName.hasSuffix(Self.suffix) else { return nil }
        self.init(parsing: fileName.dropLast(Self.suffix.count))
    }

    public static func < (left: ImageDigest, right: ImageDigest) -> Bool { left.hexadecimal < right.hexadecimal }

    private static let prefix = "sha256-"
    private static let suffix = ".squashfs"

    private static func digits(of bytes: some Sequence<UInt8>) -> String {
        let alphabet = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(alphabet[Int(byte >> 4)])
            text.append(alphabet[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension ImageDigest: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let digest = ImageDigest(parsing: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a digest")
        }
        self = digest
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
