import ClaudeCode
import Foundation
import Glibc
import WorkerControl

/// Reads what the CLI appends to its transcript, in bounded steps.
struct TranscriptTail {
    /// Bytes read at a time.
    static let step = 256 * 1024

    let home: HomeDirectory
    /// Relative to the home.
    let path: String
    private var offset = 0
    private var inode: ino_t?
    private var partial = Data()
    /// Inside a line that is too long: everything through its end is dropped.
    private var isSkipping = false

    /// - Parameters:
    ///   - absolutePath: as seen inside the sandbox; nil results when it is not in the home.
    ///   - earlier: what is not read, since earlier incarnations wrote it.
    init?(home: HomeDirectory, absolutePath: String, after earlier: EarlierTranscripts) {
        guard let path = HomeDirectory.relative(absolutePath) else { return nil }
        self.home = home
        self.path = path
        if let file = try? home.openRegular(path) {
            offset = earlier.size(of: path, file.descriptor, inode: file.inode, now: file.size)
            inode = file.inode
            close(file.descriptor)
        }
    }

    /// Leaves out what there is now.
    mutating func skip() {
        guard let file = try? home.openRegular(path) else { return }
        close(file.descriptor)
        (inode, offset, partial, isSkipping) = (file.inode, file.size, Data(), false)
    }

    /// The lines that are complete now. `more` says that there is more to read at once.
    mutating func read() -> (lines: [TranscriptLine], more: Bool) {
        guard let file = try? home.openRegular(path) else { return ([], false) }
        defer { close(file.descriptor) }
        if file.inode != inode || file.size < offset {
            inode = file.inode
            offset = 0
            partial = Data()
            isSkipping = false
        }
        guard file.size > offset,
            let data = HomeDirectory.read(file.descriptor, at: offset, limit: Self.step), !data.isEmpty
        else { return ([], false) }
        offset += data.count
        var lines: [TranscriptLine] = []
        var rest = data[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            if isSkipping {
                isSkipping = false
            } else {
                lines.append(TranscriptLine(parsing: partial + rest[..<end]))
            }
            partial = Data()
            rest = rest[(end + 1)...]
        }
        if !isSkipping { partial.append(contentsOf: rest) }
        if partial.count > 4 << 20 {
            partial = Data()
            isSkipping = true
        }
        return (lines, offset < file.size)
    }
}
