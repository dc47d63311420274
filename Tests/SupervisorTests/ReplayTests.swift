import Foundation
import Glibc
import NIOCore
import NIOPosix
import Registry
import Synchronization
import Testing
import WorkerControl

@testable import SessionCore
@testable import Supervisor

/// Events that the supervisor does not have in memory any more.
struct ReplayTests {
    /// What a worker with a journal leaves on disk.
    private func journal(
        _ box: Box, _ id: SessionID, incarnation: Int = 1, first: UInt64,
        _ body: @escaping @Sendable (Journal) throws -> Void
    ) async throws {
        let path = "\(box.path)/state/journals/\(id)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let loop = Box.group.next()
        let options = Journal.Options(
            sessionID: id, incarnation: incarnation, firstSequence: first, outputLimit: 4096,
            limits: JournalLimits(bytes: 64 << 20))
        // What syncs for the one before may not be done.
        try await eventually("the journal to be free") { () async throws -> Bool? in
            do {
                try await loop.flatSubmit { () -> EventLoopFuture<Void> in
                    let promise = loop.makePromise(of: Void.self)
                    do {
                        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                        defer { close(descriptor) }
                        let journal = try Journal(options, directory: descriptor, on: loop)
                        // As a killed worker would leave it.
                        defer { journal.abandon() }
                        try body(journal)
                        promise.succeed(())
                    } catch {
                        promise.fail(error)
                    }
                    return promise.futureResult
                }.get()
                return true
            } catch JournalError.busy {
                return nil
            }
        }
    }

    private func numbers(_ box: Box, _ id: SessionID, since: UInt64, through last: UInt64) async throws
        -> [SessionEvent]
    {
        var seen: [SessionEvent] = []
        for await event in try await box.supervisor.events(id, since: since, as: box.alice) {
            seen.append(event)
            if event.seq >= last { break }
        }
        return seen
    }

    @Test func whatMemoryDroppedComesFromTheJournalAndJoinsWhatHappens() async throws {
        try await Box.with { box in
            let id = try await box.create()
            let worker = try box.worker(id)
            let start = worker.state.withLock { $0.status.lastSequence }
            let count = 6000
            // As the worker: each in the journal first, then told.
            try await journal(box, id, first: 3) { journal in
                while journal.lastSequence < start {
                    _ = try journal.append(event: .sessionRunning, data: [:], at: Date())
                }
                for number in 0..<count {
                    _ = try journal.append(event: .turnStarted, data: ["n": .integer(Int64(number))], at: Date())
                }
            }
            var last: UInt64 = 0
            for number in 0..<count { last = worker.emit(.turnStarted, ["n": .integer(Int64(number))]) }
            let end = last
            try await eventually("all of them in memory") { () async throws -> Bool? in
                await box.supervisor.numbers(of: id).last == end ? true : nil
            }
            let first = try #require(await box.supervisor.numbers(of: id).first)
            #expect(first > 1000)
            for since in [0, 1, 2, 700, first - 1, first, end - 1] as [UInt64] {
                let seen = try await numbers(box, id, since: since, through: end)
                #expect(seen.map(\.seq) == Array(since + 1...end), "since \(since)")
            }
            // A reader that is on its way while more happens misses none and sees none twice.
            let late = Task { try await numbers(box, id, since: 0, through: end + 50) }
            try await journal(box, id, first: end + 1) { journal in
                for _ in 0..<50 { _ = try journal.append(event: .turnCompleted, data: [:], at: Date()) }
            }
            for _ in 0..<50 { worker.emit(.turnCompleted) }
            #expect(try await late.value.map(\.seq) == Array(1...end + 50))
            // At rest too, with what the supervisor numbered itself.
            _ = try await box.supervisor.park(id, by: box.alice)
            let parked = try await box.record(id).lastSequence
            let rest = try await numbers(box, id, since: 0, through: parked)
            #expect(rest.first?.type == .sessionCreated)
            #expect(rest.last?.type == .sessionParked)
            #expect(rest.allSatisfy { $0.type != .gap })
            #expect(zip(rest, rest.dropFirst()).allSatisfy { $0.seq < $1.seq })
            #expect(rest.count >= count + 52)
            // And backwards, by pages that the stream goes on from.
            var pages: [[SessionEvent]] = []
            var before: UInt64?
            repeat {
                let page = try await box.supervisor.history(id, before: before, limit: 500, as: box.alice)
                #expect(page.events.count <= 500)
                pages.append(page.events)
                before = page.before
            } while before != nil
            let back = pages.reversed().flatMap { $0 }
            #expect(pages.count == back.count / 500 + 1)
            #expect(back.map(\.seq) == rest.map(\.seq).filter { $0 <= back.last?.seq ?? 0 })
            let newest = try #require(pages.first?.last?.seq)
            #expect(newest >= end + 50)
            let following = newest < parked ? try await numbers(box, id, since: newest, through: parked) : []
            #expect((back + following).map(\.type) == rest.map(\.type))
            let bob = try await box.someone("bob", in: "others")
            let foreign = await refusal { _ = try await box.supervisor.history(id, before: nil, limit: 9, as: bob) }
            #expect(foreign?.code == .notFound)
        }
    }

    @Test func withoutAJournalTheLossIsAGap() async throws {
        try await Box.with { box in
            let id = try await box.create()
            let worker = try box.worker(id)
            var last: UInt64 = 0
            for _ in 0..<4000 { last = worker.emit(.turnStarted) }
            let end = last
            try await eventually("all of them in memory") { () async throws -> Bool? in
                await box.supervisor.numbers(of: id).last == end ? true : nil
            }
            let page = try await box.supervisor.history(id, before: nil, limit: 100, as: box.alice)
            #expect(page.events.map(\.seq) == Array(end - 99...end) && page.before == end - 99)
            let seen = try await numbers(box, id, since: 0, through: end)
            #expect(seen.first?.type == .gap)
            #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.seq < $1.seq })
        }
    }

    @Test func aJournalThatCannotBeReadIsAGapWithTheReason() async throws {
        try await Box.with { box in
            let id = try await box.create()
            let worker = try box.worker(id)
            let path = "\(box.path)/state/journals/\(id)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            for name in ["0000000000000001.seg", "0000000000000002.seg"] {
                try Data(repeating: 7, count: 5000).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
            }
            var last: UInt64 = 0
            for _ in 0..<4000 { last = worker.emit(.turnStarted) }
            let end = last
            try await eventually("all of them in memory") { () async throws -> Bool? in
                await box.supervisor.numbers(of: id).last == end ? true : nil
            }
            let seen = try await numbers(box, id, since: 0, through: end)
            #expect(seen.first?.type == .gap)
            #expect(seen.first?.data["reason"] == "journal_unreadable")
            #expect(seen.count > 2000)
        }
    }

    @Test func longMessagesDoNotFillMemory() {
        let feed = SessionFeed()
        let text = JSONValue.string(String(repeating: "x", count: 32 * 1024))
        for seq in 1...1000 as ClosedRange<UInt64> {
            feed.append(
                SessionEvent(
                    seq: seq, time: Date(), sessionID: SessionID(), incarnation: 1, type: .messageAssistant,
                    data: ["text": text]))
        }
        #expect(feed.events.count < 200)
        #expect(feed.floor == 1000 - UInt64(feed.events.count))
    }
}
