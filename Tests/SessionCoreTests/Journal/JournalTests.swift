import Foundation
import NIOCore
import Testing

@testable import SessionCore

private let now = Date(timeIntervalSince1970: 1_800_000_000.25)

@Suite struct JournalTests {
    @Test func holdsEveryKindOfRecordForTheNextIncarnation() async throws {
        let folder = try JournalFolder()
        try await folder.use(first: 10) { journal in
            let seq1 = try journal.append(output: ByteBuffer(string: "one"), at: now)
            #expect(seq1 == 10)
            let seq2 = try journal.append(input: text("hello", "c1"), at: now)
            #expect(seq2 == .accepted(seq: 11))
            try journal.append(delivering: 11, at: now)
            try journal.append(resize: TerminalSize(cols: 100, rows: 30), at: now)
            _ = try journal.append(event: .turnStarted, data: ["prompt": "hello"], at: now)
            _ = try journal.append(
                input: AcceptedInput(content: .keys(ByteBuffer(string: "k")), sender: "bob"), at: now)
            #expect(journal.lastSequence == 15)
        }
        let expected = [
            "10 output one", "11 text hello true ann c1", "13 size 100x30", "14 turn.started", "15 keys k bob",
        ]
        let reading = try folder.reader().entries(since: 0, kinds: .all, limit: .max)
        #expect(reading.entries.map { summary($0.entry) } == expected)
        #expect(reading.gap == nil && reading.complete && reading.next == 15)
        #expect(
            reading.entries.allSatisfy {
                abs($0.time.timeIntervalSince(now)) < 1e-6 && $0.incarnation == 1 && $0.monotonic > 0
            })
        guard case .event(let event) = reading.entries[3].record else { return #expect(Bool(false)) }
        #expect(event.sessionID == folder.session && event.data == ["prompt": "hello"])
        // The journal knows better than whoever says where to begin.
        try await folder.use(incarnation: 2, first: 3) { journal in
            #expect(journal.lastSequence == 15)
            #expect(journal.recovery.cut == nil)
            let seq3 = try journal.append(output: ByteBuffer(string: "two"), at: now)
            #expect(seq3 == 16)
            #expect(
                journal.read(since: 0, kinds: .all, limit: .max).entries.map(summary) == expected + ["16 output two"])
            let inputs = journal.read(since: 0, kinds: .input, limit: .max).entries
            #expect(inputs.map { journal.event(for: $0)?.incarnation } == [1, nil])
        }
        #expect(folder.segments.count == 1)
    }

    @Test func readsAsTheLogInMemoryDoes() async throws {
        let folder = try JournalFolder()
        try await folder.use(memory: 1 << 20, bytes: 1 << 20) { journal in
            for index in 0..<2000 {
                switch index % 7 {
                case 5: _ = try journal.append(input: text("t\(index)"), at: now)
                case 6: _ = try journal.append(event: .toolStarted, data: [:], at: now)
                default: _ = try journal.append(output: ByteBuffer(repeating: 97, count: index % 400), at: now)
                }
            }
        }
        #expect(folder.segments.count > 2)
        let reader = try folder.reader()
        for since: UInt64 in [0, 1, 6, 7, 999, 1000, 1998, 1999, 2000, 3000] {
            for kinds: LogKinds in [.all, .events, .output, .input] {
                var entries: [JournalEntry] = []
                var next = since
                while true {
                    let reading = try reader.entries(since: next, kinds: kinds, limit: 3000)
                    #expect(reading.gap == nil)
                    entries += reading.entries
                    next = reading.next
                    if reading.complete { break }
                }
                let wanted = (1...2000).filter { number in
                    guard number > since else { return false }
                    return switch (number - 1) % 7 {
                    case 5: kinds.contains(.input)
                    case 6: kinds.contains(.event)
                    default: kinds.contains(.output)
                    }
                }
                #expect(entries.map(\.seq) == wanted.map(UInt64.init), "since \(since), \(kinds)")
                #expect(next == max(since, 2000))
            }
        }
    }

    @Test func followsAJournalThatIsBeingWritten() async throws {
        let folder = try JournalFolder()
        let reader = Task.detached {
            let reader = try folder.reader()
            var since: UInt64 = 0
            var bytes = 0
            let deadline = ContinuousClock.now + .seconds(60)
            while since < 3000, ContinuousClock.now < deadline {
                let reading = try reader.entries(since: since, kinds: .all, limit: 50_000)
                #expect(reading.gap == nil)
                #expect(reading.entries.map(\.seq) == Array(reading.entries.indices).map { since + UInt64($0) + 1 })
                for case .output(let output) in reading.entries.map(\.record) { bytes += output.readableBytes }
                since = reading.next
            }
            return bytes
        }
        try await folder.use(bytes: 64 << 20) { journal in
            for index in 0..<3000 {
                try journal.append(output: ByteBuffer(repeating: UInt8(index % 256), count: 9000), at: now)
            }
        }
        #expect(try await reader.value == 3000 * 9000)
    }

    @Test func takesAnInputOnceAcrossIncarnations() async throws {
        let folder = try JournalFolder()
        try await folder.use { _ = try $0.append(input: text("hi", "a"), at: now) }
        try await folder.use(incarnation: 2) { journal in
            let seq4 = try journal.append(input: text("hi", "a"), at: now)
            #expect(seq4 == .duplicate(seq: 1))
            let seq5 = try journal.append(input: text("hi", "b"), at: now)
            #expect(seq5 == .accepted(seq: 2))
        }
    }

    @Test func callsBackWhenTheDiskHasIt() async throws {
        let folder = try JournalFolder()
        let synced = Counter()
        var disk = JournalDisk.real
        disk.sync = { file in
            synced.add(1)
            return JournalDisk.real.sync(file)
        }
        let loop = folder.loop
        let stored = loop.makePromise(of: Int.self)
        let journal = try await folder.open(disk: disk)
        try await loop.submit {
            for index in 0..<100 { _ = try journal.value.append(input: text("t\(index)"), at: now) }
            journal.value.whenStored(through: 100) { stored.succeed(synced.value) }
        }.get()
        // One sync for the first, one for all that came while it ran.
        #expect((1...4).contains(try await stored.futureResult.get()))
        try await loop.submit {
            let later = loop.makePromise(of: Void.self)
            journal.value.whenStored(through: 50) { later.succeed() }
            journal.value.abandon()
            return later.futureResult
        }.flatMap { $0 }.get()
    }

    @Test func isWrittenByOne() async throws {
        let folder = try JournalFolder()
        let first = try await folder.open()
        await #expect(throws: JournalError.busy) { try await folder.open() }
        try await folder.loop.submit { first.value.abandon() }.get()
    }
}

@Suite struct JournalRetentionTests {
    @Test func dropsOldTerminalOutputAndKeepsTheRest() async throws {
        let folder = try JournalFolder()
        let journal = try await folder.open(bytes: 1 << 20)
        try await folder.fill(journal, outputs: 4000)
        let reader = try folder.reader()
        try await until("the journal is within its bound") {
            try reader.segments().filter { !$0.isThinned }.reduce(0) { $0 + $1.size } <= 1 << 20
        }
        let everything = try reader.entries(since: 0, kinds: .all, limit: .max)
        let gap = try #require(everything.gap)
        #expect(gap.after == 0 && gap.through > 1000)
        let outputs = try reader.entries(since: 0, kinds: .output, limit: .max)
        #expect(outputs.gap == gap)
        let first = try #require(outputs.entries.first?.seq)
        // The gap says where it is whole again: only other records lie between.
        #expect(first > gap.through && first <= gap.through + 2)
        let events = try reader.entries(since: 0, kinds: .events, limit: .max)
        #expect(events.gap == nil)
        #expect(events.entries.map(\.seq) == (1...400).map { UInt64($0 * 11) })
        let found6 = try reader.entries(since: gap.through, kinds: .output, limit: .max)
        #expect(found6.gap == nil)
        // What is joined is few.
        #expect(folder.segments.count < 14)
        try await folder.loop.submit { journal.value.abandon() }.get()
        try await folder.use(incarnation: 2) { journal in
            #expect(journal.lastSequence == 4400)
            #expect(journal.recovery.cut == nil)
        }
    }

    @Test func dropsWhatIsTooOld() async throws {
        let folder = try JournalFolder()
        let journal = try await folder.open(bytes: 64 << 20, age: 0.4)
        try await folder.loop.submit { _ = try journal.value.append(output: ByteBuffer(string: "old"), at: Date()) }
            .get()
        try await until("the output is gone", for: 20) {
            // The segment that is written is never touched: something new has to come.
            try await folder.loop.submit {
                _ = try journal.value.append(event: .turnStarted, data: [:], at: Date())
                journal.value.thin()
            }.get()
            return try folder.reader().entries(since: 0, kinds: .output, limit: .max).gap != nil
        }
        try await folder.loop.submit { journal.value.abandon() }.get()
    }

    @Test func boundsWhatASandboxCanReport() async throws {
        let folder = try JournalFolder()
        let journal = try await folder.open(bytes: 256 * 1024, events: 256 * 1024)
        for round in 0..<200 {
            try await folder.loop.submit {
                _ = try journal.value.append(input: text("said \(round)"), at: now)
                for _ in 0..<40 {
                    try journal.value.append(
                        event: .toolStarted, data: ["x": .string(String(repeating: "y", count: 400))], at: now)
                }
            }.get()
        }
        try await until("the journal is within its bound") {
            try await folder.loop.submit { journal.value.thin() }.get()
            return try folder.reader().segments().reduce(0) { $0 + $1.size } <= 600 * 1024
        }
        let reader = try folder.reader()
        let inputs = try reader.entries(since: 0, kinds: .input, limit: .max)
        #expect(inputs.entries.count == 200)
        #expect(inputs.gap != nil)
        try await folder.loop.submit { journal.value.abandon() }.get()
    }

    @Test func goesOnAfterAThinningThatWasKilledInTheMiddle() async throws {
        let folder = try JournalFolder()
        let journal = try await folder.open(bytes: 1 << 20)
        try await folder.fill(journal, outputs: 1500)
        try await until("nothing is thinned") { try await folder.loop.submit { !journal.value.isThinning }.get() }
        try await folder.loop.submit { journal.value.abandon() }.get()
        let names = folder.segments
        let second = try folder.bytes(names[1])
        // Both are in the first, and the second is still there.
        let directory = try JournalDirectory(path: folder.path)
        var limits = JournalLimits(bytes: 1 << 20)
        limits.bytes = 200 * 1024
        try JournalRetention(directory: directory, limits: limits, disk: .real).run(current: .max, now: now)
        let before = try folder.reader().entries(since: 0, kinds: .all, limit: .max)
        try folder.write(second, to: names[1])
        try folder.write([1, 2, 3], to: names[0] + ".thin.new")
        let after = try folder.reader().entries(since: 0, kinds: .all, limit: .max)
        #expect(after.entries.map(\.seq) == before.entries.map(\.seq))
        try await folder.use(incarnation: 2) { #expect($0.lastSequence == 1650) }
        #expect(!folder.segments.contains(names[1]))
        let found7 = try directory.names()
        #expect(found7.allSatisfy { !$0.hasSuffix(".new") })
    }
}
