import Foundation
import NIOCore
import SessionCore
import Testing

private let now = Date(timeIntervalSince1970: 1_800_000_000)

private func log(output: Int = 1 << 20, records: Int = 100, first: UInt64 = 1) -> MemoryLog {
    MemoryLog(sessionID: SessionID(), incarnation: 2, firstSequence: first, outputLimit: output, recordLimit: records)
}

/// The terminal bytes of a reading, in order.
private func bytes(_ reading: LogReading) -> String {
    reading.entries.map { entry in
        if case .output(let bytes) = entry.record { return String(buffer: bytes) }
        return ""
    }.joined()
}

@Suite struct MemoryLogTests {
    @Test func numbersRecordsFromTheFirst() {
        let log = log(first: 41)
        #expect(log.lastSequence == 40)
        #expect(log.append(output: ByteBuffer(string: "a"), at: now) == 41)
        #expect(log.append(resize: .standard, at: now) == 42)
        let event = log.append(event: .turnStarted, data: ["x": 1], at: now)
        #expect(event.seq == 43)
        #expect(event.incarnation == 2)
        #expect(event.sessionID == log.sessionID)
        #expect(log.lastSequence == 43)
    }

    @Test func readsFromTheMiddleOfSharedStorage() {
        let log = log()
        for text in ["one", "two", "three"] { log.append(output: ByteBuffer(string: text), at: now) }
        log.append(event: .turnStarted, data: [:], at: now)
        for text in ["four", "five"] { log.append(output: ByteBuffer(string: text), at: now) }
        let expected: [UInt64: String] = [
            0: "onetwothreefourfive", 1: "twothreefourfive", 3: "fourfive", 4: "fourfive", 5: "five", 6: "", 99: "",
        ]
        for (since, text) in expected {
            let reading = log.read(since: since, kinds: .all, limit: .max)
            #expect(bytes(reading) == text, "since \(since)")
            #expect(reading.gap == nil)
            #expect(reading.complete)
            #expect(reading.next == max(since, 6))
        }
        let reading = log.read(since: 0, kinds: .all, limit: .max)
        #expect(reading.entries.map(\.seq) == [3, 4, 6])
        #expect(log.read(since: 0, kinds: .events, limit: .max).entries.map(\.seq) == [4])
        #expect(log.read(since: 0, kinds: .output, limit: .max).entries.map(\.seq) == [3, 6])
    }

    @Test func aReadingStaysAsItWasWhileTheLogGrows() {
        let log = log()
        log.append(output: ByteBuffer(string: "before"), at: now)
        let reading = log.read(since: 0, kinds: .output, limit: .max)
        log.append(output: ByteBuffer(string: "after"), at: now)
        #expect(bytes(reading) == "before")
        #expect(bytes(log.read(since: reading.next, kinds: .output, limit: .max)) == "after")
    }

    @Test func boundsOutputAndSaysWhatIsGone() throws {
        let log = log(output: 64 * 1024)
        log.append(event: .turnStarted, data: [:], at: now)
        for index in 0..<10_000 { log.append(output: ByteBuffer(string: "line \(index)\r\n"), at: now) }
        #expect(log.heldOutputBytes <= 64 * 1024)
        let reading = log.read(since: 5, kinds: .terminal, limit: .max)
        let gap = try #require(reading.gap)
        #expect(gap.after == 5)
        #expect(gap.through > 5)
        #expect(bytes(reading).hasSuffix("line 9999\r\n"))
        // Record n + 2 is line n: the first one held comes right after the gap.
        #expect(bytes(reading).hasPrefix("line \(gap.through + 1 - 2)\r\n"))
        #expect(log.read(since: gap.through, kinds: .terminal, limit: .max).gap == nil)
        // Events are bounded apart: a flood of output loses none.
        let events = log.read(since: 0, kinds: .events, limit: .max)
        #expect(events.gap == nil)
        #expect(events.entries.count == 1)
    }

    @Test func boundsEventsInNumber() {
        let log = log(records: 20)
        for _ in 0..<50 { log.append(event: .turnStarted, data: [:], at: now) }
        let reading = log.read(since: 10, kinds: .events, limit: .max)
        #expect(reading.entries.map(\.seq) == Array(31...50))
        #expect(reading.gap == LogGap(after: 10, through: 30))
        #expect(log.read(since: 30, kinds: .events, limit: .max).gap == nil)
    }

    @Test func numbersBelowTheIncarnationAreAGap() {
        let log = log(first: 100)
        log.append(output: ByteBuffer(string: "x"), at: now)
        #expect(log.read(since: 40, kinds: .output, limit: .max).gap == LogGap(after: 40, through: 99))
        #expect(log.read(since: 99, kinds: .output, limit: .max).gap == nil)
    }

    @Test func readsInPortions() {
        let log = log()
        for index in 0..<100 {
            log.append(output: ByteBuffer(repeating: UInt8(index), count: 10_000), at: now)
            log.append(event: .turnStarted, data: [:], at: now)
        }
        var since: UInt64 = 0
        var total = 0
        var rounds = 0
        while true {
            let reading = log.read(since: since, kinds: .all, limit: 50_000)
            for case .output(let bytes) in reading.entries.map(\.record) { total += bytes.readableBytes }
            since = reading.next
            rounds += 1
            if reading.complete { break }
        }
        #expect(total == 1_000_000)
        #expect(since == 200)
        #expect(rounds > 15)
    }

    @Test func takesOneInputOnce() {
        let log = log(records: 16)
        func input(_ id: String?, from sender: String = "ann") -> AcceptedInput {
            AcceptedInput(content: .text("hi", submit: true), sender: sender, clientID: id)
        }
        #expect(log.append(input: input("a"), at: now) == .accepted(seq: 1))
        #expect(log.append(input: input("a"), at: now) == .duplicate(seq: 1))
        #expect(log.append(input: input("a", from: "bob"), at: now) == .accepted(seq: 2))
        #expect(log.append(input: input(nil), at: now) == .accepted(seq: 3))
        #expect(log.append(input: input(nil), at: now) == .accepted(seq: 4))
        for index in 0..<16 { _ = log.append(input: input("n\(index)"), at: now) }
        // The oldest ids are forgotten.
        #expect(log.append(input: input("a"), at: now) == .accepted(seq: 21))
    }

    @Test func showsInputsAndSizesAsEvents() throws {
        let log = log()
        _ = log.append(
            input: AcceptedInput(content: .text("hi", submit: true), sender: "ann", clientID: "c1"), at: now)
        _ = log.append(input: AcceptedInput(content: .keys(ByteBuffer(string: "k")), sender: "ann"), at: now)
        log.append(resize: TerminalSize(cols: 100, rows: 30), at: now)
        let events = log.read(since: 0, kinds: .events, limit: .max).entries.compactMap { log.event(for: $0) }
        #expect(events.map(\.type) == [.inputAccepted, .terminalResized])
        #expect(events.map(\.seq) == [1, 3])
        #expect(events[0].data == ["text": "hi", "submit": true, "by": "ann", "client_id": "c1"])
        #expect(events[1].data == ["cols": 100, "rows": 30])
    }
}
