import Glibc

/// The newest part of a journal below a number.
public struct JournalTail: Sendable {
    /// Numbers of which something is missing, before the first of the entries.
    public var gap: LogGap?
    /// Oldest first.
    public var entries: [JournalEntry]
    /// What is below this number was not read; nil: there is nothing.
    public var start: UInt64?

    public init(gap: LogGap? = nil, entries: [JournalEntry] = [], start: UInt64? = nil) {
        self.gap = gap
        self.entries = entries
        self.start = start
    }
}

extension JournalReader {
    /// Bytes of segments that are looked through for one tail. In a journal with little of what is asked for, a tail may be
    /// short, or empty, and the next one goes on from its start.
    public static let longestSearch = 32 << 20

    /// The newest records below `before` of the kinds asked for: at most `count`, and about `limit` bytes of them.
    public func tail(
        before: UInt64, kinds: LogKinds, count: Int, limit: Int, search: Int = longestSearch
    ) throws(JournalError) -> JournalTail {
        // Segments are thinned, and then renamed and removed, while one reads.
        for _ in 0..<3 {
            do {
                return try readTail(before: before, kinds: kinds, count: count, limit: limit, search: search)
            } catch {
                guard case .system(_, errno: ENOENT) = error else { throw error }
            }
        }
        return try readTail(before: before, kinds: kinds, count: count, limit: limit, search: search)
    }

    private func readTail(
        before: UInt64, kinds: LogKinds, count: Int, limit: Int, search: Int
    ) throws(JournalError) -> JournalTail {
        let files = try open()
        var newestFirst: [JournalEntry] = []
        var (bytes, searched) = (0, 0)
        /// Everything from here on is read.
        var start = before
        var gap: LogGap?
        scan: for (index, file) in files.enumerated().reversed() where file.header.first < before {
            let survey = try SegmentSurvey(file, before: before, kinds: kinds, isNewest: index == files.count - 1)
            if index + 1 < files.count, start == files[index + 1].header.first {
                let previous = files[index + 1].header.previous
                let last = max(survey.last, file.header.covers)
                // A segment is missing between the two.
                if previous > last {
                    gap = LogGap(after: last, through: previous)
                    start = last + 1
                    break scan
                }
            }
            guard searched == 0 || searched + file.size <= search else { break scan }
            searched += file.size
            for record in survey.records.reversed() {
                guard newestFirst.count < count, bytes < limit else { break scan }
                bytes += record.size
                let step = try file.record(at: record.offset, wanted: { _ in true })
                guard case .record(let head, let payload?, _) = step else {
                    throw .damaged(segment: file.name, offset: record.offset, detail: "what is there is no record")
                }
                start = head.seq
                if let entry = JournalEntry(head, payload, session: file.header.sessionID) { newestFirst.append(entry) }
            }
            start = file.header.first
        }
        var lost = files.first?.header.previous ?? 0
        for file in files {
            if kinds.contains(.output) { lost = max(lost, file.header.lostOutput) }
            if !kinds.isDisjoint(with: .events) { lost = max(lost, file.header.lostEvents) }
        }
        let isWhole = files.first.map { start <= $0.header.first } ?? true
        let below = isWhole ? 0 : start - 1
        if gap == nil, below < lost { gap = LogGap(after: below, through: lost) }
        return JournalTail(gap: gap, entries: newestFirst.reversed(), start: isWhole ? nil : start)
    }
}

/// Where in a segment the records of some kinds are, by their heads alone.
private struct SegmentSurvey {
    /// Oldest first.
    private(set) var records: [(offset: Int, size: Int)] = []
    /// The last number, of whatever kind.
    private(set) var last: UInt64 = 0

    /// - Parameter isNewest: somebody may write it, or wrote it when he was killed: it may end in the middle of a record.
    init(_ file: SegmentFile, before: UInt64, kinds: LogKinds, isNewest: Bool) throws(JournalError) {
        var offset = SegmentHeader.size
        while true {
            switch try file.record(at: offset, wanted: { _ in false }) {
            case .record(let head, _, let next):
                guard head.seq < before else { return }
                if kinds.contains(head) { records.append((offset, next - offset)) }
                last = max(last, head.seq)
                offset = next
            case .end: return
            case .bad:
                if isNewest {
                    if try file.search(from: offset + 1, above: last) == nil { return }
                    // What follows may have been written just now, and then so was what seemed bad.
                    file.forget()
                    if case .record = try file.record(at: offset, wanted: { _ in true }) { continue }
                }
                throw .damaged(segment: file.name, offset: offset, detail: "what is there is no record")
            }
        }
    }
}
