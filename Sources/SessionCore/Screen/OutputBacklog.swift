/// Output that a screen has not drawn yet, with what can be told of it without drawing.
struct OutputBacklog {
    private(set) var bytes: [UInt8] = []
    /// It may hold a query that the terminal must answer.
    private(set) var mayAsk = false
    private var scanned = 0

    mutating func append(_ output: UnsafeRawBufferPointer) {
        bytes += output
        guard !mayAsk else { return }
        scan()
    }

    /// Empties it. `unfinished`: the parser stands within a sequence, which may yet turn out to be a query.
    mutating func drain(unfinished: Bool) {
        bytes.removeAll(keepingCapacity: bytes.capacity <= 512 * 1024)
        mayAsk = unfinished
        scanned = 0
    }

    private mutating func scan() {
        bytes.withUnsafeBytes { bytes in
            while let escape = Self.next(0x1B, in: bytes, from: scanned) {
                guard let (end, kind) = Self.sequence(bytes, at: escape) else {
                    // Its end is still to come: look again then.
                    scanned = escape
                    return
                }
                if kind == .query {
                    mayAsk = true
                    return
                }
                scanned = end
            }
            scanned = bytes.count
        }
    }

    /// Where drawing can be cut short. Output in `dropped` needs its SGR obeyed and its characters not drawn: it is
    /// plain text that has left screen and scrollback by the end. Valid only if the parser is at rest at its start,
    /// and the whole screen scrolls.
    ///
    /// - Parameter lines: how many line ends must be drawn for everything before them to be gone.
    func dropped(drawing lines: Int) -> Range<Int>? {
        bytes.withUnsafeBytes { bytes in
            // Only text, line ends and SGR may follow.
            var start = 0
            var index = 0
            while let escape = Self.next(0x1B, in: bytes, from: index) {
                guard let (end, kind) = Self.sequence(bytes, at: escape) else { return nil }
                if kind != .rendition { start = end }
                index = end
            }
            if let shift = bytes.lastIndex(where: { $0 == 0x0E || $0 == 0x0F }) { start = max(start, shift + 1) }
            var left = lines
            var end = bytes.count
            while end > start + 1 {
                end -= 1
                guard bytes[end] == 0x0A, bytes[end - 1] == 0x0D else { continue }
                left -= 1
                if left == 0 { return end + 1 > start ? start..<(end + 1) : nil }
            }
            return nil
        }
    }

    private enum Kind { case rendition, query, other }

    private static func next(_ byte: UInt8, in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        bytes[start...].firstIndex(of: byte)
    }

    /// The end and the kind of the sequence at an ESC; nil when it goes on beyond the bytes. Good enough to find
    /// SGR and queries; strings are not followed.
    private static func sequence(_ bytes: UnsafeRawBufferPointer, at escape: Int) -> (Int, Kind)? {
        var index = escape + 1
        guard index < bytes.count else { return nil }
        guard bytes[index] == 0x5B else {
            while index < bytes.count, (0x20..<0x30).contains(bytes[index]) { index += 1 }
            return index < bytes.count ? (index + 1, .other) : nil
        }
        index += 1
        var isPlain = true
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case 0x30...0x3B: index += 1
            case 0x20...0x2F, 0x3C...0x3F:
                isPlain = false
                index += 1
            case 0x6D where isPlain: return (index + 1, .rendition)
            case 0x63, 0x6E, 0x70: return (index + 1, .query)
            case 0x40...0x7E: return (index + 1, .other)
            // A control character inside: rare enough to be looked at in full.
            default: return (index, .query)
            }
        }
        return nil
    }
}
