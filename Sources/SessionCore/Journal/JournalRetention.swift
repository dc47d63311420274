import Foundation
import Glibc
import NIOCore

/// How much of a journal is kept.
public struct JournalLimits: Sendable, Hashable {
    /// Bytes of segments that still have their terminal output.
    public var bytes: Int
    /// Terminal output that is older is dropped; nil keeps it for as long as there is room.
    public var age: TimeInterval?
    /// Bytes of everything that is kept beyond that.
    public var eventBytes: Int

    public init(bytes: Int, age: TimeInterval? = nil, eventBytes: Int = 32 << 20) {
        self.bytes = max(bytes, 256 * 1024)
        self.age = age
        self.eventBytes = max(eventBytes, 64 * 1024)
    }

    /// Where a segment ends: what is dropped at once is a small part of the whole, and the segments stay few.
    var segmentBytes: Int { max(min(max(bytes / 8, 64 * 1024), 8 << 20), bytes / 128) }
}

/// Makes a journal smaller, oldest part first. Full segments lose their terminal output and are joined; when those
/// joined take too much, they lose the events that a sandbox can cause at will, and at last they go altogether.
///
/// Everything is decided from what is on the disk, so it can be stopped anywhere and begun anew. It runs beside the
/// writer, whose segment it never touches, and beside readers, which keep what they have opened.
struct JournalRetention: Sendable {
    let directory: JournalDirectory
    let limits: JournalLimits
    let disk: JournalDisk

    /// - Parameter current: the segment that is being written.
    func run(current: UInt64, now: Date) throws(JournalError) {
        var files: [SegmentFile] = []
        for first in try directory.segments() {
            let file = try SegmentFile(first, in: directory)
            if let before = files.last, first <= before.header.covers {
                directory.remove(file.name)
            } else {
                files.append(file)
            }
        }
        while let index = files.firstIndex(where: { !$0.header.flags.contains(.thinned) }),
            files[index].header.first != current, index + 1 < files.count
        {
            let bytes = files[index...].reduce(0) { $0 + $1.size }
            let end = Date(timeIntervalSince1970: Double(files[index + 1].header.created) / 1e9)
            guard bytes > limits.bytes || limits.age.map({ now.timeIntervalSince(end) > $0 }) ?? false else { break }
            let joins = index > 0 && files[index - 1].size < limits.segmentBytes
            let sources = joins ? [files[index - 1], files[index]] : [files[index]]
            let thinned = try rewrite(sources, next: files[index + 1].header.previous) { head in
                head.kind != RecordHead.Kind.output.rawValue
            }
            files.replaceSubrange((joins ? index - 1 : index)...index, with: [thinned])
        }
        while let oldest = files.first, oldest.header.flags.contains(.thinned), files.count > 1,
            files.reduce(0, { $0 + ($1.header.flags.contains(.thinned) ? $1.size : 0) }) > limits.eventBytes
        {
            // The oldest that has something to give; when none has, the oldest altogether.
            if let index = files.firstIndex(where: {
                $0.header.flags.contains(.thinned) && !$0.header.flags.contains(.pruned)
            }), index + 1 < files.count {
                files[index] = try rewrite([files[index]], next: files[index + 1].header.previous, pruning: true) {
                    head in
                    !(RecordHead.Mark(rawValue: head.mark)?.isCheap ?? false)
                }
            } else {
                directory.remove(oldest.name)
                files.removeFirst()
            }
        }
    }

    /// Puts what is kept of some neighbours into one file in the place of the first.
    private func rewrite(
        _ sources: [SegmentFile], next previous: UInt64, pruning: Bool = false, keeping keeps: (RecordHead) -> Bool
    ) throws(JournalError) -> SegmentFile {
        let first = sources[0].header
        var header = first
        header.flags = .thinned
        if pruning || sources.allSatisfy({ $0.header.flags.contains(.pruned) }) { header.flags.insert(.pruned) }
        header.salt = .random(in: .min ... .max)
        var kept: [(head: RecordHead, payload: ByteBuffer)] = []
        for source in sources {
            header.lostOutput = max(header.lostOutput, source.header.lostOutput)
            header.lostEvents = max(header.lostEvents, source.header.lostEvents)
            header.covers = max(header.covers, source.header.covers)
            var offset = SegmentHeader.size
            scan: while true {
                switch try source.record(at: offset, wanted: keeps) {
                case .record(let head, let payload, let next):
                    if let payload {
                        kept.append((head, ByteBuffer(bytes: payload)))
                    } else if head.kind == RecordHead.Kind.output.rawValue {
                        header.lostOutput = max(header.lostOutput, head.seq)
                    } else {
                        header.lostEvents = max(header.lostEvents, head.seq)
                    }
                    header.covers = max(header.covers, head.seq)
                    offset = next
                case .end: break scan
                case .bad:
                    throw .damaged(segment: source.name, offset: offset, detail: "what is there is no record")
                }
            }
        }
        header.covers = max(header.covers, previous)
        let name = JournalDirectory.name(of: first.first)
        try write(header, kept, to: name)
        for source in sources.dropFirst() { directory.remove(source.name) }
        return try SegmentFile(first.first, in: directory)
    }

    private func write(
        _ header: SegmentHeader, _ records: [(head: RecordHead, payload: ByteBuffer)], to name: String
    ) throws(JournalError) {
        let (start, seed) = header.encoded()
        var bytes = start
        for (head, payload) in records {
            payload.withUnsafeReadableBytes { payload in
                withUnsafeTemporaryAllocation(byteCount: RecordHead.size, alignment: 8) { raw in
                    head.write(to: raw, seed: seed, payload: payload)
                    _ = bytes.writeBytes(raw)
                }
            }
            bytes.writeImmutableBuffer(payload)
        }
        let temporary = name + ".thin.new"
        directory.remove(temporary)
        let file = try directory.open(temporary, O_WRONLY | O_CREAT | O_EXCL)
        defer { close(file) }
        var written = 0
        while written < bytes.readableBytes {
            let count = bytes.withUnsafeReadableBytes { raw in
                var part = iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: raw.baseAddress.map { $0 + written }),
                    iov_len: raw.count - written)
                return disk.write(file, &part, 1, off_t(written))
            }
            guard count > 0 else {
                directory.remove(temporary)
                throw .system("thinning segment \(name) of the session's journal", errno: Int32(-count))
            }
            written += count
        }
        var failure = disk.sync(file)
        if failure == 0 {
            try directory.rename(temporary, to: name)
            failure = directory.sync()
        }
        guard failure == 0 else {
            directory.remove(temporary)
            throw .system("thinning segment \(name) of the session's journal", errno: failure)
        }
    }
}
