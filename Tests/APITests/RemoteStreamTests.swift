import Foundation
import NIOCore
import NIOPosix
import Registry
import SessionCore
import Supervisor
import Testing

@testable import API

/// Sessions whose programs run elsewhere, on a disk, and servers that are killed.
@Suite(.timeLimit(.minutes(2))) struct RemoteStreamTests {
    private struct Program: RemoteProgram {
        func give(_ line: String, request: String, by: String) async throws {}
        func leave(_ reason: String) async {}
        func end() async {}
    }

    private static let lines = [
        #"> {"type":"user","message":{"role":"user","content":"hi"},"uuid":"p"}"#,
        #"{"type":"command_lifecycle","command_uuid":"p","state":"started"}"#,
        #"{"type":"system","subtype":"init","model":"opus","permissionMode":"default","tools":["Bash"],"session_id":"x"}"#,
        #"{"type":"user","uuid":"p","isReplay":true,"message":{"role":"user","content":"hi"}}"#,
        #"{"type":"assistant","uuid":"a","message":{"id":"m","role":"assistant","content":[{"type":"text","text":"one"},{"type":"text","text":"two"}]}}"#,
        #"{"type":"control_request","request_id":"q","request":{"subtype":"can_use_tool","tool_name":"Bash","input":{"command":"ls"}}}"#,
        #"> {"type":"control_response","response":{"subtype":"success","request_id":"q","response":{"behavior":"allow","updatedInput":{"command":"ls"}}}}"#,
        #"{"type":"result","subtype":"success","is_error":false,"result":"two","uuid":"r","total_cost_usd":0.5}"#,
    ]

    private static let records = lines.enumerated().map { index, line in
        let isGiven = line.hasPrefix("> ")
        return RemoteRecord(
            number: UInt64(index + 1), time: Date(timeIntervalSince1970: Double(index)), by: isGiven ? "ann" : nil,
            request: isGiven ? "\(index)" : nil, line: isGiven ? String(line.dropFirst(2)) : line)
    }

    private static let told: [RemoteSession.Told] = {
        var session = RemoteSession()
        return records.flatMap { session.apply($0).told }
    }()

    private let sessions = FakeSessions()
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    private func stream(_ id: SessionID) async throws -> RemoteStream {
        let record = try await sessions.session(id, as: ServerFixture.admin).record
        return RemoteStream(record, directory: await sessions.journal(elsewhere: id), sessions: sessions, on: loop) {
            _ in
        }
    }

    /// Lets a program tell all that it knows, and answers what the server had.
    private func tell(_ stream: RemoteStream, run: String, _ records: [RemoteRecord]) async throws -> (Int, UInt64) {
        let (number, received) = try await stream.connect(
            Program(), directory: "/w", run: run, numbersRecords: true)
        for record in records where record.number > received { await stream.take(record, from: number) }
        await stream.welcome(number)
        return (number, received)
    }

    private func journal(_ id: SessionID) async throws -> [SessionEvent] {
        let reader = try JournalReader(path: await sessions.journal(elsewhere: id))
        return try reader.read(since: 0, kinds: .events, limit: .max).entries.compactMap {
            $0.event(of: id, incarnation: 1)
        }
    }

    private static let lifecycle: Set<EventType> = [.sessionRunning, .sessionParked, .sessionStopped]

    @Test func aServerThatWasKilledAfterAnyEventHasEachOnceAfterItIsToldAgain() async throws {
        for count in 0...Self.told.count {
            let id = SessionID()
            _ = try await sessions.add(elsewhere: id, for: ServerFixture.admin)
            let directory = await sessions.journal(elsewhere: id)
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try RemoteRun(name: "a").write(to: directory)
            // What one that was killed left.
            let loop = loop
            try await loop.submit {
                let descriptor = open(directory, O_RDONLY | O_DIRECTORY)
                defer { close(descriptor) }
                var options = Journal.Options(
                    sessionID: id, incarnation: 1, firstSequence: 1, outputLimit: 0, limits: RemoteStream.limits)
                options.keepsNumbers = true
                let journal = try Journal(options, directory: descriptor, on: loop)
                for event in Self.told.prefix(count) {
                    journal.advance(to: event.seq - 1)
                    try journal.append(event: event.type, data: event.data, at: event.time)
                }
                journal.abandon()
            }.get()

            let stream = try await stream(id)
            let (number, received) = try await tell(stream, run: "a", Self.records)
            #expect(received == 0)
            try await stream.exit(0, from: number)
            let events = try await journal(id)
            let said = events.filter { !Self.lifecycle.contains($0.type) }.prefix(Self.told.count)
            #expect(said.map(\.seq) == Self.told.map(\.seq), "killed after \(count) events")
            #expect(said.map(\.data) == Self.told.map(\.data))
            #expect(zip(events, events.dropFirst()).allSatisfy { $0.seq < $1.seq })
            #expect(events.last?.type == .sessionStopped)
            #expect(try await sessions.session(id, as: ServerFixture.admin).record.lifecycle == .stopped)
            await stream.close()
        }
        // Once and again: the audit keeps each once.
        #expect(Set(await sessions.answers.map(\.data["id"])) == ["q"])
    }

    @Test func anotherProcessGoesOnWithTheSessionAndItsNumbers() async throws {
        let id = SessionID()
        _ = try await sessions.add(elsewhere: id, for: ServerFixture.admin)
        let first = try await stream(id)
        // Killed with a question open, its server too.
        _ = try await tell(first, run: "a", Array(Self.records.prefix(6)))
        let before = try await journal(id)
        await first.close()
        let second = try await stream(id)
        let (number, received) = try await tell(second, run: "b", Self.records)
        #expect(received == 0)
        let events = try await journal(id)
        #expect(Array(events.prefix(before.count)).map(\.data) == before.map(\.data))
        let between = events.dropFirst(before.count).prefix(2)
        #expect(between.map(\.type) == [.permissionResolved, .turnCompleted])
        #expect(between.first?.data["resolution"] == "withdrawn")
        #expect(between.last?.data["outcome"] == "ended")
        let rest = events.dropFirst(before.count + 2).filter { !Self.lifecycle.contains($0.type) }
        #expect(rest.map(\.data) == Self.told.map(\.data))
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.seq < $1.seq })
        #expect(try await sessions.session(id, as: ServerFixture.admin).record.incarnation == 2)
        // The old process's connection says nothing more, and is not told that its end was heard.
        await #expect(throws: SupervisorError.self) { try await second.exit(0, from: number - 1) }
        await second.close()
    }

    @Test func aReaderHasThePastAndThenWhatHappens() async throws {
        let id = SessionID()
        _ = try await sessions.add(elsewhere: id, for: ServerFixture.admin)
        let stream = try await stream(id)
        let (number, _) = try await tell(stream, run: "a", Array(Self.records.prefix(4)))
        var reader = try await stream.read(since: 0).makeAsyncIterator()
        for record in Self.records.dropFirst(4) { await stream.take(record, from: number) }
        try await stream.exit(0, from: number)
        var events: [SessionEvent] = []
        while events.last?.type != .sessionStopped, let event = await reader.next() { events.append(event) }
        let all = try await journal(id)
        #expect(events.map(\.seq) == all.map(\.seq))
        #expect(events.map(\.data) == all.map(\.data))
        await stream.close()
        #expect(await reader.next() == nil)
        // After that it is taken up where it ended.
        var late = try await stream.read(since: events[3].seq).makeAsyncIterator()
        #expect(await late.next()?.seq == events[4].seq)
        await stream.close()
    }

    @Test func aSessionWithoutItsProgramIsStoppedHere() async throws {
        let id = SessionID()
        _ = try await sessions.add(elsewhere: id, for: ServerFixture.admin)
        let first = try await stream(id)
        _ = try await tell(first, run: "a", Array(Self.records.prefix(6)))
        await first.close()
        let second = try await stream(id)
        try await second.stop(by: "ann")
        let tail = try await journal(id).suffix(3)
        #expect(tail.map(\.type) == [.permissionResolved, .turnCompleted, .sessionStopped])
        #expect(try await sessions.session(id, as: ServerFixture.admin).record.lifecycle == .stopped)
        await second.close()
    }
}
