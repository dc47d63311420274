import NIOCore

/// The keystrokes for a piece of text.
enum TypedText {
    /// How Claude Code wants text: Enter apart from it, so that it is not taken for a pasted line end.
    static let pause: Int64 = 150

    /// The text without control characters, which would be keys; several lines as one bracketed paste.
    static func keys(for text: String) -> ByteBuffer {
        var clean: [UInt8] = []
        clean.reserveCapacity(text.utf8.count)
        var lines = false
        var previous: UInt8 = 0
        for byte in text.utf8 {
            switch byte {
            case 0x0a where previous == 0x0d: break
            case 0x0a, 0x0d:
                lines = true
                clean.append(0x0d)
            case 0x09: clean.append(byte)
            case 0..<0x20, 0x7f: break
            default: clean.append(byte)
            }
            previous = byte
        }
        guard lines else { return ByteBuffer(bytes: clean) }
        var paste = ByteBuffer(string: "\u{1b}[200~")
        paste.writeBytes(clean)
        paste.writeString("\u{1b}[201~")
        return paste
    }
}
