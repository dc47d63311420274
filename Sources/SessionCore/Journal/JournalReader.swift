import Foundation
import Glibc

/// Reads a session's journal from its directory, also while a worker writes it and after that worker was killed.
///
/// Memory is bounded by the limit of a reading and one record. Not `Sendable`: one reader for each task; it blocks on
/// the disk, so it does not belong on an event loop that others share.
public final class JournalReader {
    private let directory: JournalDirectory
    /// Where in a segment numbers are, found on the way.
    private var marks: [UInt64: SegmentMarks] = [:]

    /// - Parameter path: `<state>/journals/<session>`, no link.
    public init(path: String) throws(JournalError) { directory = try JournalDirectory(path: path) }

    /// - Parameter descriptor: of the directory; stays the caller's.
    public init(descriptor: Int32) throws(JournalError) { directory = try JournalDirectory(copying: descriptor) }

    init(_ directory: JournalDirectory) { self.directory = directory }

    /// The records above `since`, as ``SessionLog/read(since:kinds:limit:)`` has them. Outputs are not joined: each has
    /// its own time.
    public func read(since: UInt64, kinds: LogKinds, limit: Int) throws(JournalError) -> LogReading {
        let reading = try entries(since: since, kinds: kinds, limit: limit)
        return LogReading(
            gap: reading.gap, entries: reading.entries.map(\.entry), next: reading.next, complete: reading.complete)
    }

    /// The records above `since` of the kinds asked for, oldest first, until they amount to about `limit` bytes.
    public func entries(since: UInt64, kinds: LogKinds, limit: Int) throws(JournalError) -> JournalReading {
        // Segments are thinned, and then renamed and removed, while one reads.
        let since = min(since, RecordHead.highest)
        for _ in 0..<3 {
            do { return try attempt(since: since, kinds: kinds, limit: limit) } catch {
                guard case .system(_, errno: ENOENT) = error else { throw error }
            }
        }
        return try attempt(since: since, kinds: kinds, limit: limit)
    }

    /// The newest record's number; 0 in an empty journal.
    public func lastSequence() throws(JournalError) -> UInt64 {
        guard let last = try directory.segments().last else { return 0 }
        return try entries(since: last, kinds: [], limit: .max).next
    }

    /// The terminal's size at a record; nil before the first.
    public func size(at seq: UInt64) throws(JournalError) -> TerminalSize? {
        var size: TerminalSize?
        var since: UInt64 = 0
        while true {
            let reading = try entries(since: since, kinds: .resize, limit: 256 * 1024)
            for entry in reading.entries {
                guard entry.seq <= seq else { return size }
                if case .resize(let news) = entry.record { size = news }
            }
            if reading.complete { return size }
            since = reading.next
        }
    }

    /// The journal's files, oldest first.
    public func segments() throws(JournalError) -> [JournalSegment] {
        try open().map { file in
            JournalSegment(
                first: file.header.first, size: file.size,
                created: Date(timeIntervalSince1970: Double(file.header.created) / 1e9),
                isThinned: file.header.flags.contains(.thinned))
        }
    }

    /// Those that count: what a thinning left over is covered by the segment before.
    func open() throws(JournalError) -> [SegmentFile] {
        let names = try directory.segments()
        var files: [SegmentFile] = []
        for (index, first) in names.enumerated() {
            do throws(JournalError) {
                let file = try SegmentFile(first, in: directory)
                if let before = files.last, file.header.first <= before.header.covers { continue }
                files.append(file)
            } catch {
                // The newest is being made.
                guard case .damaged = error, index == names.count - 1 else { throw error }
            }
        }
        let known = Set(files.map(\.header.first))
        marks = marks.filter { known.contains($0.key) }
        return files
    }

    private func attempt(since: UInt64, kinds: LogKinds, limit: Int) throws(JournalError) -> JournalReading {
        let files = try open()
        var reading = JournalReading(gap: nil, entries: [], next: since, complete: true)
        var lost = files.first?.header.previous ?? 0
        for file in files {
            if kinds.contains(.output) { lost = max(lost, file.header.lostOutput) }
            if !kinds.isDisjoint(with: .events) { lost = max(lost, file.header.lostEvents) }
        }
        if since < lost { reading.gap = LogGap(after: since, through: lost) }
        let start = files.lastIndex { $0.header.first <= since + 1 } ?? files.startIndex
        var bytes = 0
        for (index, file) in files.enumerated().dropFirst(start) {
            let header = file.header
            if header.previous > max(reading.next, lost) {
                // A segment is missing.
                guard reading.entries.isEmpty, reading.gap == nil else {
                    reading.complete = false
                    return reading
                }
                reading.gap = LogGap(after: reading.next, through: header.previous)
                reading.next = header.previous
            }
            var marks = self.marks[header.first].flatMap { $0.salt == header.salt ? $0 : nil } ?? SegmentMarks(header)
            defer { self.marks[header.first] = marks }
            var offset = marks.offset(before: since)
            scan: while true {
                switch try file.record(at: offset, wanted: { $0.seq > since && kinds.contains($0) }) {
                case .record(let head, let payload, let next):
                    if head.seq > since, let payload, kinds.contains(head),
                        let entry = JournalEntry(head, payload, session: header.sessionID)
                    {
                        guard bytes < limit || reading.entries.isEmpty else {
                            reading.complete = false
                            return reading
                        }
                        bytes += entry.cost
                        reading.entries.append(entry)
                    }
                    reading.next = max(reading.next, head.seq)
                    marks.passed(head.seq, at: offset)
                    offset = next
                case .end: break scan
                case .bad:
                    // At the very end somebody writes, or wrote when he was killed.
                    if index == files.count - 1 {
                        if try file.search(from: offset + 1, above: reading.next) == nil { break scan }
                        // What follows may have been written just now, and then so was what seemed bad.
                        file.forget()
                        if case .record = try file.record(at: offset, wanted: { _ in true }) { continue scan }
                    }
                    throw .damaged(segment: file.name, offset: offset, detail: "what is there is no record")
                }
            }
            reading.next = max(reading.next, header.covers)
        }
        return reading
    }
}

/// A sparse index of one segment: some numbers and where their records begin.
struct SegmentMarks {
    /// Another salt, another file.
    let salt: UInt32
    private var marks: [(seq: UInt64, offset: Int)] = []

    private static let distance = 64 * 1024

    init(_ header: SegmentHeader) { salt = header.salt }

    mutating func passed(_ seq: UInt64, at offset: Int) {
        guard offset >= (marks.last?.offset ?? SegmentHeader.size) + Self.distance else { return }
        marks.append((seq, offset))
    }

    /// Where to begin, for records above `since`.
    func offset(before since: UInt64) -> Int {
        // Few enough that a search from the end is quick: followers ask for the newest.
        marks.last { $0.seq <= since + 1 }?.offset ?? SegmentHeader.size
    }
}
