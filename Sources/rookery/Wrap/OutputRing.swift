/// Terminal output on its way to a server that may be out of reach: numbered texts, the last of them kept, so that after a
/// lost connection each piece is sent once more or not again.
struct OutputRing {
    struct Piece: Equatable {
        var seq: UInt64
        var text: String
    }

    private let capacity: Int
    private var pieces: [Piece] = []
    private var bytes = 0
    private var last: UInt64 = 0
    /// The start of a character whose rest has not come.
    private var tail: [UInt8] = []

    /// - Parameter capacity: bytes of text kept.
    init(capacity: Int = 1 << 20) { self.capacity = capacity }

    /// - Returns: nil when the bytes only began a character.
    mutating func append(_ output: [UInt8]) -> Piece? {
        var bytes = tail + output
        let held = Self.unfinished(bytes)
        tail = Array(bytes.suffix(held))
        bytes.removeLast(held)
        guard !bytes.isEmpty else { return nil }
        last += 1
        let piece = Piece(seq: last, text: String(decoding: bytes, as: UTF8.self))
        pieces.append(piece)
        self.bytes += piece.text.utf8.count
        while self.bytes > capacity, pieces.count > 1 { self.bytes -= pieces.removeFirst().text.utf8.count }
        return piece
    }

    /// What was said after a number, as far as it is still here.
    func after(_ seq: UInt64) -> [Piece] { pieces.filter { $0.seq > seq } }

    /// Bytes at the end that begin a character (RFC 3629).
    private static func unfinished(_ bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let length =
                byte >= 0xF0 && byte < 0xF5 ? 4 : byte >= 0xE0 && byte < 0xF0 ? 3 : byte >= 0xC2 && byte < 0xE0 ? 2 : 1
            return length > back ? back : 0
        }
        return 0
    }
}
