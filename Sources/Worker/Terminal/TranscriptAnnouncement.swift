import NIOCore

/// Takes the transcript's path out of the start command's output: by echokit's contract its first line. Only a
/// line that is an absolute path ending in `.jsonl` is taken; anything else passes untouched.
struct TranscriptAnnouncement {
    /// A longer first line is not a path.
    static let longest = 4096

    private var held = ByteBuffer()
    private var passed = 0
    private var mayFollowEcho = false
    private(set) var isDecided = false
    /// The path, once its line has come.
    private(set) var path: String?

    /// Somebody typed before the command said anything: what the terminal echoes of that comes before the first line.
    mutating func keysWereTyped() { mayFollowEcho = true }

    /// Takes output and answers what belongs on the terminal.
    mutating func filter(_ output: ByteBuffer) -> ByteBuffer {
        guard !isDecided else { return output }
        held.writeImmutableBuffer(output)
        var shown = ByteBuffer()
        while let end = held.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
            let view = held.readableBytesView
            let line = view[..<end]
            if let announced = announcement(in: line) {
                path = announced.path
                shown.writeBytes(line[..<announced.start])
                held.moveReaderIndex(forwardBy: end - view.startIndex + 1)
                break
            }
            guard mayFollowEcho, passed + line.count <= Self.longest, isPlain(line) else { break }
            passed += line.count
            shown.writeBytes(view[...end])
            held.moveReaderIndex(forwardBy: end - view.startIndex + 1)
        }
        let rest = held.readableBytesView
        if path == nil, !rest.contains(UInt8(ascii: "\n")), passed + rest.count <= Self.longest, isPlain(rest) {
            // The line is not complete: only what may be the path is held back.
            if rest.first == UInt8(ascii: "/") || rest.isEmpty { return shown }
            if mayFollowEcho {
                let start = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
                passed += start - rest.startIndex
                shown.writeBytes(rest[..<start])
                held.moveReaderIndex(forwardBy: start - rest.startIndex)
                return shown
            }
        }
        var remainder = giveUp()
        shown.writeBuffer(&remainder)
        return shown
    }

    /// Stops looking; answers what was held back.
    mutating func giveUp() -> ByteBuffer {
        isDecided = true
        defer { held = ByteBuffer() }
        return held
    }

    private func announcement(in line: ByteBufferView) -> (path: String, start: ByteBufferView.Index)? {
        var line = line
        if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        guard let start = line.firstIndex(of: UInt8(ascii: "/")), mayFollowEcho || start == line.startIndex else {
            return nil
        }
        let path = line[start...]
        guard path.count <= Self.longest, path.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }),
            let text = String(validating: path, as: UTF8.self), text.hasSuffix(".jsonl")
        else { return nil }
        return (text, start)
    }

    /// Without control characters: escape sequences are a program's, not an announcement's.
    private func isPlain(_ bytes: ByteBufferView) -> Bool { bytes.allSatisfy { $0 >= 0x20 || $0 == 0x0d } }
}
