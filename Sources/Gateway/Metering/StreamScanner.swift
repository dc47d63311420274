import NIOCore

/// Finds in a stream of server-sent events (HTML living standard, 9.2) the data of those that say what was used. Reads
/// along: the bytes go on as they came, and of other events nothing is kept.
struct StreamScanner {
    /// Longer data is no report of usage; the event is passed over.
    static let longestData = 256 << 10

    private var line: [UInt8] = []
    /// The line under way is longer than it may be.
    private var isOverlong = false
    private var event: [UInt8] = []
    private var data: [UInt8] = []

    private static let wanted: Set<[UInt8]> = [Array("message_start".utf8), Array("message_delta".utf8)]

    /// Takes the next bytes.
    /// - Returns: the data of each event of interest that is complete now.
    mutating func read(_ bytes: ByteBuffer) -> [[UInt8]] {
        var found: [[UInt8]] = []
        bytes.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                take(rest[rest.startIndex..<end])
                endLine(&found)
                rest = rest[(end + 1)...]
            }
            take(rest)
        }
        return found
    }

    private mutating func take(_ part: UnsafeRawBufferPointer.SubSequence) {
        guard !isOverlong, line.count + part.count <= Self.longestData else {
            isOverlong = true
            return line.removeAll(keepingCapacity: true)
        }
        line.append(contentsOf: part)
    }

    private mutating func endLine(_ found: inout [[UInt8]]) {
        defer {
            line.removeAll(keepingCapacity: true)
            isOverlong = false
        }
        guard !isOverlong else { return }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        guard !line.isEmpty else {
            if Self.wanted.contains(event), !data.isEmpty { found.append(data) }
            event = []
            data = []
            return
        }
        if let value = value(of: "event") {
            event = Array(value)
        } else if event.isEmpty || Self.wanted.contains(event), let value = value(of: "data"),
            data.count + value.count <= Self.longestData
        {
            data.append(contentsOf: value)
        }
    }

    private func value(of field: StaticString) -> ArraySlice<UInt8>? {
        let name = field.utf8CodeUnitCount
        let isField = field.withUTF8Buffer { line.starts(with: $0) } && line.count > name
        guard isField, line[name] == UInt8(ascii: ":") else { return nil }
        let value = line[(name + 1)...]
        return value.first == UInt8(ascii: " ") ? value.dropFirst() : value
    }
}
