import NIOCore

/// Takes the transcript's path out of the start command's output: by echokit's contract its first line. Only a
/// line that is an absolute path ending in `.jsonl` is taken; anything else passes untouched.
struct TranscriptAnnouncement {
    /// A longer first line is not a path.
    static let longest = 4096

    private var held = ByteBuffer()
    private(set) var isDecided = false
    /// The path, once its line has come.
    private(set) var path: String?

    /// Takes output and answers what belongs on the terminal.
    mutating func filter(_ output: ByteBuffer) -> ByteBuffer {
        guard !isDecided else { return output }
        held.writeImmutableBuffer(output)
        let view = held.readableBytesView
        guard view.first == UInt8(ascii: "/") else { return giveUp() }
        guard let end = view.firstIndex(of: UInt8(ascii: "\n")) else {
            return view.count > Self.longest || view.contains(where: { $0 < 0x20 && $0 != 0x0d })
                ? giveUp() : ByteBuffer()
        }
        var line = view[..<end]
        if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        guard line.count <= Self.longest, line.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }),
            let text = String(validating: line, as: UTF8.self), text.hasSuffix(".jsonl")
        else { return giveUp() }
        path = text
        held.moveReaderIndex(forwardBy: end - view.startIndex + 1)
        return giveUp()
    }

    /// Stops looking; answers what was held back.
    mutating func giveUp() -> ByteBuffer {
        isDecided = true
        defer { held = ByteBuffer() }
        return held
    }
}
