import Glibc

/// One segment opened for reading, from record to record, in bounded memory. The file may grow meanwhile.
final class SegmentFile {
    let header: SegmentHeader
    let name: String
    private let file: Int32
    private var window = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// What of the file the window holds.
    private var held: Range<Int> = 0..<0

    private static let step = 256 * 1024

    enum Step {
        /// A good record. Its payload is there until the next call, nil when it was not wanted: then only the head was
        /// looked at.
        case record(RecordHead, payload: UnsafeRawBufferPointer?, next: Int)
        /// The file ends here.
        case end
        /// What is here is no record, or the file ends inside it.
        case bad
    }

    init(_ first: UInt64, in directory: JournalDirectory) throws(JournalError) {
        name = JournalDirectory.name(of: first)
        file = try directory.open(name, O_RDONLY | O_NONBLOCK)
        var about = stat()
        guard fstat(file, &about) == 0, about.st_mode & S_IFMT == S_IFREG else {
            let code = errno
            close(file)
            throw .system("segment \(name) is not a regular file", errno: code)
        }
        var start = [UInt8](repeating: 0, count: SegmentHeader.size)
        let count = pread(file, &start, start.count, 0)
        guard count == start.count, let header = start.withUnsafeBytes({ SegmentHeader($0) }), header.first == first
        else {
            close(file)
            throw .damaged(
                segment: name, offset: 0,
                detail: count < SegmentHeader.size ? "it is shorter than its header" : "its header is not one of ours")
        }
        self.header = header
    }

    deinit {
        close(file)
        window.deallocate()
    }

    /// Bytes in the file now.
    var size: Int {
        var about = stat()
        return fstat(file, &about) == 0 ? Int(about.st_size) : 0
    }

    /// The record at an offset.
    func record(at offset: Int, wanted: (RecordHead) -> Bool) throws(JournalError) -> Step {
        let bytes = try self.bytes(at: offset, RecordHead.size)
        guard !bytes.isEmpty else { return .end }
        guard let head = RecordHead(bytes) else { return .bad }
        let next = offset + RecordHead.size + head.length
        guard wanted(head) else {
            // Of what is skipped, it must at least be there.
            guard next <= held.upperBound || next <= size else { return .bad }
            return .record(head, payload: nil, next: next)
        }
        let whole = try self.bytes(at: offset, RecordHead.size + head.length)
        guard whole.count == RecordHead.size + head.length else { return .bad }
        let payload = UnsafeRawBufferPointer(rebasing: whole[RecordHead.size...])
        let isGood = RecordHead.isGood(
            UnsafeRawBufferPointer(rebasing: whole[..<RecordHead.size]), seed: header.seed, payload: payload)
        return isGood ? .record(head, payload: payload, next: next) : .bad
    }

    /// The first good record that begins at `offset` or after it and has a number above `seq`.
    func search(from offset: Int, above seq: UInt64) throws(JournalError) -> (head: RecordHead, offset: Int)? {
        var offset = max(offset, SegmentHeader.size)
        while true {
            let head = try bytes(at: offset, RecordHead.size)
            guard head.count == RecordHead.size else { return nil }
            if let plausible = RecordHead(head), plausible.seq > seq, plausible.seq - seq < 1 << 40,
                case .record(let good, _, _) = try record(at: offset, wanted: { _ in true })
            {
                return (good, offset)
            }
            offset += 1
        }
    }

    /// What is read again may have been written meanwhile.
    func forget() { held = 0..<0 }

    /// Up to `count` bytes at an offset, fewer where the file ends.
    private func bytes(at offset: Int, _ count: Int) throws(JournalError) -> UnsafeRawBufferPointer {
        if offset < held.lowerBound || offset + count > held.upperBound {
            if count > window.count {
                window.deallocate()
                window = .allocate(byteCount: count + Self.step, alignment: 16)
            }
            var filled = 0
            while filled < window.count {
                let got = pread(
                    file, window.baseAddress.map { $0 + filled }, window.count - filled, off_t(offset + filled))
                if got < 0, errno == EINTR { continue }
                guard got >= 0 else { throw .system("reading segment \(name) of the session's journal", errno: errno) }
                if got == 0 { break }
                filled += got
            }
            held = offset..<(offset + filled)
        }
        let start = offset - held.lowerBound
        return UnsafeRawBufferPointer(rebasing: window[start..<min(start + count, held.count)])
    }
}
