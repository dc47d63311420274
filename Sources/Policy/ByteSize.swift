/// A size in bytes that reads and writes as the API shows sizes: `"512MiB"`, `"2GiB"`, or plain bytes.
public struct ByteSize: Sendable, Hashable, Comparable {
    public let bytes: UInt64

    public init(bytes: UInt64) { self.bytes = bytes }

    public static func mebibytes(_ count: UInt64) -> ByteSize { ByteSize(bytes: count << 20) }
    public static func gibibytes(_ count: UInt64) -> ByteSize { ByteSize(bytes: count << 30) }

    /// Parses `"<digits>"` or `"<digits><unit>"` with unit `B`, `KiB`, `MiB`, `GiB` or `TiB`.
    /// Returns nil for anything else, including a value that does not fit 63 bits.
    public init?(parsing text: some StringProtocol) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = UInt64(digits) else { return nil }
        let shift: UInt64
        switch String(text.dropFirst(digits.count)).trimmingPrefix(while: { $0 == " " }) {
        case "", "B": shift = 0
        case "KiB": shift = 10
        case "MiB": shift = 20
        case "GiB": shift = 30
        case "TiB": shift = 40
        default: return nil
        }
        let (value, overflow) = count.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow, value <= UInt64(Int64.max) else { return nil }
        self.bytes = value
    }

    public static func < (left: ByteSize, right: ByteSize) -> Bool { left.bytes < right.bytes }
}

extension ByteSize: CustomStringConvertible {
    /// The largest unit that divides the size evenly.
    public var description: String {
        for (shift, unit) in [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")] as [(UInt64, String)]
        where bytes > 0 && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(unit)"
        }
        return "\(bytes)"
    }
}

extension ByteSize: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let bytes = try? container.decode(UInt64.self), bytes <= UInt64(Int64.max) {
            self.bytes = bytes
            return
        }
        let text = try container.decode(String.self)
        guard let size = ByteSize(parsing: text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "'\(text)' is not a size: write bytes, or a number with KiB, MiB, GiB or TiB")
        }
        self = size
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
