import Foundation
import Registry
import SessionCore
import Testing

@testable import Supervisor

struct FeedTests {
    private func event(_ seq: UInt64, _ type: EventType = .turnStarted) -> SessionEvent {
        SessionEvent(seq: seq, time: Date(), sessionID: SessionID(), incarnation: 1, type: type)
    }

    private func drain(_ mailbox: EventMailbox) async -> [SessionEvent] {
        mailbox.finish()
        var events: [SessionEvent] = []
        while let event = await mailbox.next() { events.append(event) }
        return events
    }

    @Test func whatIsAboveSinceIsReplayedAndThenLive() async {
        let feed = SessionFeed()
        for seq in [1, 2, 5, 9] as [UInt64] { feed.append(event(seq)) }
        let mailbox = feed.subscribe(since: 2)
        #expect(!feed.append(event(9)))
        #expect(!feed.append(event(3)))
        feed.append(event(12))
        #expect(await drain(mailbox).map(\.seq) == [5, 9, 12])
        let ahead = feed.subscribe(since: 14)
        let live = feed.subscribe(since: nil)
        feed.append(event(13))
        #expect(await drain(live).map(\.seq) == [13])
        feed.append(event(14))
        feed.append(event(15))
        #expect(await drain(ahead).map(\.seq) == [15])
    }

    @Test func whatWasDroppedIsAGap() async {
        let feed = SessionFeed()
        for seq in 1...5000 as ClosedRange<UInt64> { feed.append(event(seq)) }
        let events = await drain(feed.subscribe(since: 10))
        #expect(events.first?.type == .gap)
        #expect(events.count <= SessionFeed.capacity + SessionFeed.capacity / 4 + 1)
        #expect(events.first?.seq == (events.dropFirst().first?.seq ?? 0) - 1)
        #expect(events.last?.seq == 5000)
        #expect(await drain(feed.subscribe(since: 4990)).map(\.seq) == Array(4991...5000))
    }

    @Test func aReaderThatFallsBehindGetsAGapAndBoundedMemory() async {
        let mailbox = EventMailbox(limit: 10)
        for seq in 1...25 as ClosedRange<UInt64> { mailbox.post(event(seq)) }
        let events = await drain(mailbox)
        #expect(events.count <= 10)
        #expect(events.first?.type == .gap)
        #expect(events.first?.seq == (events.dropFirst().first?.seq ?? 0) - 1)
        #expect(events.last?.seq == 25)
    }

    @Test func aReaderThatWentAwayIsForgotten() async {
        let feed = SessionFeed()
        weak var gone: EventMailbox?
        do {
            let mailbox = feed.subscribe(since: nil)
            gone = mailbox
        }
        feed.append(event(1))
        #expect(gone == nil)
    }

    @Test func aReaderThatIsCancelledEnds() async {
        let mailbox = EventMailbox()
        let stream = mailbox.stream()
        let reader = Task {
            for await _ in stream {}
            return true
        }
        try? await Task.sleep(for: .milliseconds(20))
        reader.cancel()
        #expect(await reader.value)
    }

    private func transition(_ from: Lifecycle?, _ to: Lifecycle, _ seq: UInt64?) -> TransitionRecord {
        TransitionRecord(
            sessionID: SessionID(), incarnation: 1, from: from, to: to, reason: nil, detail: nil, actor: "a",
            seq: seq, time: Date())
    }

    @Test(arguments: [true, false]) func aWorkerThatIsGoneWithItsSupervisorLeavesAHoleForItsEvents(isGone: Bool) {
        let feed = SessionFeed([
            transition(nil, .queued, 1), transition(.queued, .starting, 2), transition(.starting, .running, nil),
        ])
        if !isGone { feed.listens() }
        for seq in [1000, 1001] as [UInt64] { feed.append(event(seq)) }
        #expect(feed.events.map(\.seq) == (isGone ? [1, 2, 999, 1000, 1001] : [1, 2, 1000, 1001]))
        #expect(feed.floor == (isGone ? 999 : 0))
    }

    @Test func transitionsWithTheWorkersEventsMissingShowTheHole() {
        let feed = SessionFeed([
            transition(nil, .queued, 1), transition(.queued, .starting, 2), transition(.starting, .running, nil),
            transition(.running, .parking, nil), transition(.parking, .parked, 40), transition(.parked, .starting, 41),
            transition(.starting, .running, nil),
        ])
        #expect(feed.events.map(\.seq) == [1, 2, 39, 40, 41])
        #expect(
            feed.events.map(\.type) == [.sessionCreated, .sessionStarting, .gap, .sessionParked, .sessionStarting])
    }

    @Test func aSessionsEventsAreNumberedWithoutRepetitionAcrossIncarnations() async throws {
        try await Box.with { box in
            let all = await box.supervisor.events(as: box.alice)
            let strangers = await box.supervisor.events(as: try await box.someone("bob"))
            let id = try await box.create()
            try box.worker(id).emit(.turnStarted)
            _ = try await box.supervisor.park(id, by: box.alice)
            _ = try await box.supervisor.resume(id, by: box.alice)
            _ = try await box.supervisor.stop(id, by: box.alice)
            try await box.supervisor.delete(id, keepWorkspace: false, by: box.alice)
            var seen: [SessionEvent] = []
            for await event in all {
                seen.append(event)
                if event.type == .sessionDeleted { break }
            }
            #expect(
                seen.map(\.type) == [
                    .sessionCreated, .sessionStarting, .sessionRunning, .turnStarted, .sessionParking, .sessionParked,
                    .sessionStarting, .sessionRunning, .sessionStopping, .sessionStopped, .sessionDeleted,
                ])
            #expect(seen.map(\.seq) == seen.map(\.seq).sorted() && Set(seen.map(\.seq)).count == seen.count)
            #expect(seen.last?.data["reason"]?.string == "requested")
            await box.supervisor.shutdown(stopSessions: false)
            var others = 0
            for await _ in strangers { others += 1 }
            #expect(others == 0)
        }
    }
}
