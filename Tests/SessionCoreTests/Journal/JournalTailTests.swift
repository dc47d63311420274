import Foundation
import NIOCore
import Testing

@testable import SessionCore

private let now = Date(timeIntervalSince1970: 1_800_000_000.25)

/// A journal read from its end.
@Suite struct JournalTailTests {
    /// Five outputs, an input, an event, and so on.
    private func filled(_ folder: JournalFolder, bytes: Int = 1 << 20) async throws {
        try await folder.use(memory: 1 << 20, bytes: bytes) { journal in
            for index in 0..<2000 {
                switch index % 7 {
                case 5: _ = try journal.append(input: text("t\(index)"), at: now)
                case 6: _ = try journal.append(event: .toolStarted, data: [:], at: now)
                default: _ = try journal.append(output: ByteBuffer(repeating: 97, count: index % 400), at: now)
                }
            }
        }
    }

    /// All pages, the newest first; each as its numbers.
    private func pages(
        _ reader: JournalReader, before: UInt64 = .max, count: Int, limit: Int = .max,
        search: Int = JournalReader.longestSearch
    ) throws -> [[UInt64]] {
        var pages: [[UInt64]] = []
        var next: UInt64? = before
        while let before = next, pages.count < 2100 {
            let tail = try reader.tail(before: before, kinds: .events, count: count, limit: limit, search: search)
            #expect(tail.gap == nil)
            #expect(tail.entries.count <= count)
            pages.append(tail.entries.map(\.seq))
            if let start = tail.start { #expect(start < before) }
            next = tail.start
        }
        return pages
    }

    @Test func backwardsItIsWhatItIsForwards() async throws {
        let folder = try JournalFolder()
        try await filled(folder)
        #expect(folder.segments.count > 2)
        let reader = try folder.reader()
        let all = try reader.entries(since: 0, kinds: .events, limit: .max).entries.map(\.seq)
        for count in [1, 7, 100, 5000] {
            for before: UInt64 in [.max, 2001, 2000, 1000, 7, 2, 1] {
                let pages = try pages(reader, before: before, count: count)
                #expect(pages.reversed().flatMap { $0 } == all.filter { $0 < before }, "\(count) before \(before)")
                #expect(pages.dropLast().allSatisfy { $0.count == count })
            }
        }
        // Bytes, and segments that are looked through, end a page too.
        let bounded = try pages(reader, count: 5000, limit: 1000)
        #expect(bounded.count > 20 && bounded.reversed().flatMap { $0 } == all)
        let searched = try pages(reader, count: 5000, search: 1)
        #expect(searched.count == folder.segments.count && searched.reversed().flatMap { $0 } == all)
    }

    @Test func anEmptyOneHasNone() throws {
        let tail = try JournalFolder().reader().tail(before: .max, kinds: .events, count: 10, limit: .max)
        #expect(tail.entries.isEmpty && tail.start == nil && tail.gap == nil)
    }

    @Test func whatIsBeingWrittenIsNotThereYet() async throws {
        let folder = try JournalFolder()
        try await filled(folder)
        let last = try #require(folder.segments.last)
        try folder.write(try folder.bytes(last).dropLast(3), to: last)
        let tail = try folder.reader().tail(before: .max, kinds: .events, count: 2, limit: .max)
        #expect(tail.entries.map(\.seq) == [1994, 1995])
    }

    @Test func aMissingSegmentIsAGap() async throws {
        let folder = try JournalFolder()
        try await filled(folder)
        let reader = try folder.reader()
        let segments = try reader.segments()
        try FileManager.default.removeItem(atPath: "\(folder.path)/\(folder.segments[1])")
        var next: UInt64? = .max
        var tails: [JournalTail] = []
        while let before = next {
            tails.append(try reader.tail(before: before, kinds: .events, count: 5000, limit: .max))
            next = tails.last?.start
        }
        #expect(tails.count == 2)
        #expect(tails.first?.gap == LogGap(after: segments[1].first - 1, through: segments[2].first - 1))
        #expect(tails.last?.gap == nil && tails.last?.entries.first?.seq == 6)
        try FileManager.default.removeItem(atPath: "\(folder.path)/\(folder.segments[0])")
        let rest = try reader.tail(before: .max, kinds: .events, count: 5000, limit: .max)
        #expect(rest.start == nil && rest.gap == LogGap(after: 0, through: segments[2].first - 1))
        // Whoever does not come to it is not told.
        let newest = try reader.tail(before: .max, kinds: .events, count: 5, limit: .max)
        #expect(newest.gap == nil && newest.start == newest.entries.first?.seq)
    }

    @Test func damageIsToldAndNotPassedOver() async throws {
        let folder = try JournalFolder()
        try await filled(folder)
        let last = try #require(folder.segments.last)
        var bytes = try folder.bytes(last)
        for offset in 2000..<4000 { bytes[offset] = 0xFF }
        try folder.write(bytes, to: last)
        #expect(throws: JournalError.self) {
            _ = try folder.reader().tail(before: .max, kinds: .events, count: 5000, limit: .max)
        }
    }
}
