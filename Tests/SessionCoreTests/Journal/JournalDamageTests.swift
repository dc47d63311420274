import Foundation
import NIOCore
import Testing

@testable import SessionCore

private let now = Date(timeIntervalSince1970: 1_800_000_000)

/// A small journal, and where its records begin: outputs 1 and 3, an input 2 that was acknowledged, an output 4.
private struct Sample {
    let name = "0000000000000001.seg"
    let bytes: [UInt8]
    let starts: [Int]
    let entries: [String]

    init(_ folder: JournalFolder) async throws {
        let sizes = try await folder.use { journal in
            try journal.append(output: ByteBuffer(string: "first"), at: now)
            _ = try journal.append(input: text("say", "c"), at: now)
            try journal.append(output: ByteBuffer(string: "third"), at: now)
            try journal.append(output: ByteBuffer(string: "the fourth"), at: now)
            return [5, RecordPayload.encode(text("say", "c")).readableBytes, 5, 10]
        }
        bytes = try folder.bytes(name)
        var starts = [SegmentHeader.size]
        for size in sizes { starts.append(starts[starts.count - 1] + RecordHead.size + size) }
        #expect(starts.last == bytes.count)
        self.starts = starts
        entries = try folder.reader().read(since: 0, kinds: .all, limit: .max).entries.map(summary)
    }

    /// How many whole records are in the first so many bytes.
    func whole(in length: Int) -> Int { max(starts.lastIndex { $0 <= length } ?? 0, 0) }
}

/// What became of a journal that somebody had their hands in.
private enum Opened: Equatable {
    case whole(records: Int)
    case cut(records: Int, bytes: Int)
    case damaged
}

private func open(_ folder: JournalFolder) async throws -> Opened {
    do {
        return try await folder.use(incarnation: 2) { journal in
            let entries = try JournalReader(path: folder.path).read(since: 0, kinds: .all, limit: .max).entries
            guard let cut = journal.recovery.cut else { return .whole(records: entries.count) }
            return .cut(records: entries.count, bytes: cut.bytes)
        }
    } catch let error as JournalError {
        guard case .damaged = error else { throw error }
        return .damaged
    }
}

@Suite struct JournalDamageTests {
    @Test func cutsATornTailAtEveryLength() async throws {
        let folder = try JournalFolder()
        let sample = try await Sample(folder)
        for length in 0..<sample.bytes.count {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
                try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
            }
            try folder.write(sample.bytes[..<length], to: sample.name)
            let whole = sample.whole(in: length)
            let rest = length - sample.starts[whole]
            // A file that is shorter than its header never was a segment.
            let expected: Opened =
                length < SegmentHeader.size || rest == 0
                ? .whole(records: whole) : .cut(records: whole, bytes: rest)
            // A reader that comes before takes what is whole.
            let read = try folder.reader().read(since: 0, kinds: .all, limit: .max)
            #expect(read.entries.map(summary) == Array(sample.entries[..<whole]), "length \(length)")
            #expect(try await open(folder) == expected, "length \(length)")
        }
    }

    @Test func tellsATornTailFromADamagedMiddleForEveryByte() async throws {
        let folder = try JournalFolder()
        let sample = try await Sample(folder)
        for offset in sample.bytes.indices {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
                try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
            }
            var bytes = sample.bytes
            bytes[offset] ^= 0x20
            try folder.write(bytes, to: sample.name)
            let record = sample.starts.lastIndex { $0 <= offset }
            let expected: Opened
            switch record {
            // The header; what is before the acknowledged input, and that itself is not the last: damage.
            case nil, 0: expected = .damaged
            // The input: what follows on it is output that nobody was promised yet.
            case 1, 2: expected = .cut(records: record ?? 0, bytes: bytes.count - sample.starts[record ?? 0])
            default: expected = .cut(records: 3, bytes: bytes.count - sample.starts[3])
            }
            #expect(try await open(folder) == expected, "byte \(offset)")
            if expected == .damaged {
                // Nothing was touched.
                #expect(try folder.bytes(sample.name) == bytes)
            }
        }
    }

    @Test func takesWhatWasOnTheDiskBeforeALaterRecordForDamagedWhenItIsBad() async throws {
        let folder = try JournalFolder()
        let loop = folder.loop
        let journal = try await folder.open()
        let stored = loop.makePromise(of: Void.self)
        try await loop.submit {
            try journal.value.append(output: ByteBuffer(string: "first"), at: now)
            journal.value.whenStored(through: 1) { stored.succeed() }
        }.get()
        try await stored.futureResult.get()
        try await loop.submit {
            // Says that the first was on the disk when it was written.
            try journal.value.append(output: ByteBuffer(string: "second"), at: now)
            journal.value.abandon()
        }.get()
        var bytes = try folder.bytes("0000000000000001.seg")
        bytes[SegmentHeader.size + RecordHead.size] ^= 1
        try folder.write(bytes, to: "0000000000000001.seg")
        #expect(try await open(folder) == .damaged)
    }

    @Test func aMissingSegmentIsDamage() async throws {
        let folder = try JournalFolder()
        let journal = try await folder.open(bytes: 1 << 20)
        try await folder.fill(journal, outputs: 600)
        try await folder.loop.submit { journal.value.abandon() }.get()
        let names = folder.segments
        try #require(names.count > 3)
        try FileManager.default.removeItem(atPath: "\(folder.path)/\(names[1])")
        #expect(try await open(folder) == .damaged)
        let reading = try folder.reader().read(since: 0, kinds: .all, limit: .max)
        #expect(reading.complete == false || reading.gap != nil)
    }

    @Test func numbersThatWereCutDoNotComeAgain() async throws {
        let folder = try JournalFolder()
        let sample = try await Sample(folder)
        try folder.write(sample.bytes.dropLast(3), to: sample.name)
        let last = try await folder.use(incarnation: 2) { journal in
            try journal.append(output: ByteBuffer(string: "new"), at: now)
        }
        #expect(last > 1000)
        let reading = try folder.reader().read(since: 3, kinds: .all, limit: .max)
        #expect(reading.gap == LogGap(after: 3, through: last - 1))
        #expect(reading.entries.map(\.seq) == [last])
    }

    @Test func randomBytesOpenOrAreRefusedAndLeaveNoTrapBehind() async throws {
        var random = SystemRandomNumberGenerator()
        let folder = try JournalFolder()
        let sample = try await Sample(folder)
        for round in 0..<150 {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
                try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
            }
            var bytes = sample.bytes
            switch round % 3 {
            case 0:
                bytes = (0..<Int.random(in: 0..<4000, using: &random)).map { _ in .random(in: 0...255, using: &random) }
            case 1:
                for _ in 0..<Int.random(in: 1..<20, using: &random) {
                    bytes[.random(in: SegmentHeader.size..<bytes.count, using: &random)] = .random(
                        in: 0...255, using: &random)
                }
            default:
                bytes.removeLast(.random(in: 0..<40, using: &random))
                bytes += (0..<Int.random(in: 1..<9000, using: &random)).map { _ in .random(in: 0...255, using: &random)
                }
            }
            try folder.write(bytes, to: sample.name)
            _ = try? folder.reader().read(since: 0, kinds: .all, limit: .max)
            let opened = try await open(folder)
            if opened == .damaged { continue }
            // Once it is open it stays whole.
            guard case .whole = try await open(folder) else {
                Issue.record("round \(round): cut twice")
                continue
            }
        }
    }
}
