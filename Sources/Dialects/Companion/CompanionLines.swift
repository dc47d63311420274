/// Cuts what a CLI sends on `/ws/cli/{id}` into lines: a line may come in several frames and a frame may hold several.
public struct CompanionLineSplitter: Sendable {
    /// Bytes of one line.
    public static let longest = 4 << 20

    public struct TooLong: Error, Sendable {}

    private var partial: [UInt8] = []

    public init() {}

    /// The complete lines, empty ones left out.
    public mutating func feed(_ bytes: some Collection<UInt8>) throws(TooLong) -> [String] {
        var lines: [String] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0A) {
            partial.append(contentsOf: rest[..<end])
            rest = rest[rest.index(after: end)...]
            guard partial.count <= Self.longest else { throw TooLong() }
            if !partial.isEmpty { lines.append(String(decoding: partial, as: UTF8.self)) }
            partial.removeAll(keepingCapacity: true)
        }
        partial.append(contentsOf: rest)
        guard partial.count <= Self.longest else { throw TooLong() }
        return lines
    }
}
