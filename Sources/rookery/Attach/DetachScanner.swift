/// Finds the keys that leave an attachment, Ctrl-] and Ctrl-\, in what is typed. A pasted text may hold those bytes;
/// it does not detach.
struct DetachScanner {
    private static let pasteStart = Array("\u{1b}[200~".utf8)
    private static let pasteEnd = Array("\u{1b}[201~".utf8)
    /// The keys as bytes, and as a terminal with the extended keyboard (CSI u) sends them.
    private static let keys: [[UInt8]] = [
        [0x1d], [0x1c], Array("\u{1b}[93;5u".utf8), Array("\u{1b}[92;5u".utf8),
    ]

    private var pasting = false
    /// The end of the last piece, when a paste's end may have been cut in two.
    private var tail: [UInt8] = []

    /// The bytes that go to the session, and whether the person leaves after them.
    mutating func scan(_ bytes: [UInt8]) -> (passed: ArraySlice<UInt8>, detached: Bool) {
        var index = bytes.startIndex
        if pasting {
            let window = tail + bytes
            guard let end = window.firstRange(of: Self.pasteEnd) else {
                tail = Array(window.suffix(Self.pasteEnd.count - 1))
                return (bytes[...], false)
            }
            pasting = false
            index = max(0, end.upperBound - tail.count)
        }
        while index < bytes.endIndex {
            let rest = bytes[index...]
            if rest.starts(with: Self.pasteStart) {
                guard let end = rest.firstRange(of: Self.pasteEnd) else {
                    pasting = true
                    tail = Array(rest.suffix(Self.pasteEnd.count - 1))
                    return (bytes[...], false)
                }
                index = end.upperBound
            } else if Self.keys.contains(where: { rest.starts(with: $0) }) {
                return (bytes[..<index], true)
            } else {
                index += 1
            }
        }
        return (bytes[...], false)
    }
}
