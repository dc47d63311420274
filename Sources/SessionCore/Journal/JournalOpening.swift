import Foundation
import Glibc

/// Reads a journal from end to end before it is written again: what is unfinished, where it ends, whether it is whole.
struct JournalOpening {
    private(set) var scan: RecoveryScan
    private(set) var cut: JournalRecovery.Cut?
    /// The newest record's number; 0 when there is none.
    private(set) var last: UInt64 = 0
    /// The newest segment and where it ends, to be gone on with.
    private(set) var newest: (header: SegmentHeader, end: Int)?

    private let directory: JournalDirectory

    /// Bytes, counted from the end, that are read.
    private static let most = 128 << 20

    /// - Parameter boot: this boot; after another, everything is verified that had no time to reach the disk.
    init(_ directory: JournalDirectory, session: SessionID, boot: UInt64) throws(JournalError) {
        self.directory = directory
        scan = RecoveryScan(of: session)
        for name in try directory.names() where name.hasSuffix(".new") { directory.remove(name) }
        let names = try directory.segments()
        var files: [SegmentFile] = []
        for (index, first) in names.enumerated() {
            do throws(JournalError) {
                let file = try SegmentFile(first, in: directory)
                if let before = files.last, first <= before.header.covers {
                    // A thinning was killed after it had put both into one.
                    directory.remove(file.name)
                    continue
                }
                guard file.header.sessionID == session else {
                    throw .damaged(segment: file.name, offset: 16, detail: "it is another session's")
                }
                files.append(file)
            } catch {
                guard case .damaged(let segment, _, _) = error, index == names.count - 1,
                    try Self.wasNeverWritten(segment, in: directory)
                else { throw error }
                try setAside(segment)
            }
        }
        let lastBoot = files.last?.header.boot ?? boot
        // However much is kept, a session must start soon; what is unfinished is new.
        var scanned = 0
        let start =
            files.lastIndex { file in
                scanned += file.size
                return scanned > Self.most
            } ?? files.startIndex
        last = start > files.startIndex ? files[start].header.previous : 0
        for (index, file) in files.enumerated().dropFirst(start) {
            let verifies = index == files.count - 1 || lastBoot != boot
            guard try read(file, following: Array(files[(index + 1)...]), verifying: verifies) else { break }
        }
    }

    /// False when the rest was cut off.
    private mutating func read(
        _ file: SegmentFile, following: [SegmentFile], verifying: Bool
    ) throws(JournalError) -> Bool {
        var offset = SegmentHeader.size
        newest = (file.header, offset)
        while true {
            switch try file.record(at: offset, wanted: { verifying || RecoveryScan.wants($0) }) {
            case .record(let head, let payload, let next):
                guard head.seq > last else {
                    throw .damaged(segment: file.name, offset: offset, detail: "its numbers do not rise")
                }
                last = max(last, head.seq)
                scan.take(head, payload)
                offset = next
                newest = (file.header, offset)
            case .end:
                last = max(last, file.header.covers)
                guard let next = following.first, next.header.previous != last else { return true }
                // Its end is missing.
                fallthrough
            case .bad:
                try check(file, from: offset, following)
                try cut(file, at: offset, following)
                return false
            }
        }
    }

    /// What a killed worker or a power loss leaves behind is a record that is not whole, and after it nothing that
    /// anybody was promised. Anything else was damaged.
    private func check(_ file: SegmentFile, from bad: Int, _ following: [SegmentFile]) throws(JournalError) {
        var place = (file: file, offset: bad + 1)
        var above = last
        var rest = following[...]
        while true {
            if let found = try place.file.search(from: place.offset, above: above) {
                let isPromised = found.head.durable > last || found.head.kind != RecordHead.Kind.output.rawValue
                guard !isPromised else {
                    throw .damaged(
                        segment: file.name, offset: bad,
                        detail: "what is there is no record, and record \(found.head.seq) follows on it")
                }
                above = found.head.seq
                place.offset = found.offset + RecordHead.size + found.head.length
            } else if let next = rest.popFirst() {
                place = (next, SegmentHeader.size)
            } else {
                return
            }
        }
    }

    private mutating func cut(_ file: SegmentFile, at offset: Int, _ following: [SegmentFile]) throws(JournalError) {
        var bytes = file.size - offset
        for later in following {
            bytes += later.size
            try setAside(later.name)
        }
        let descriptor = try directory.open(file.name, O_RDWR)
        defer { close(descriptor) }
        guard ftruncate(descriptor, off_t(offset)) == 0, fsync(descriptor) == 0 else {
            throw .system("cutting the torn end of segment \(file.name)", errno: errno)
        }
        cut = JournalRecovery.Cut(segment: file.name, offset: offset, bytes: bytes)
    }

    private func setAside(_ name: String) throws(JournalError) {
        try directory.rename(name, to: name + ".torn")
    }

    /// A segment that was made and got nothing before the machine lost power.
    private static func wasNeverWritten(_ name: String, in directory: JournalDirectory) throws(JournalError) -> Bool {
        let file = try directory.open(name, O_RDONLY | O_NONBLOCK)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: SegmentHeader.size)
        let count = pread(file, &bytes, bytes.count, 0)
        return count >= 0 && (count < SegmentHeader.size || bytes.allSatisfy { $0 == 0 })
    }
}
