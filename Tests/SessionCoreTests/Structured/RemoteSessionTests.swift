import Foundation
import SessionCore
import Testing

/// Sessions whose programs run elsewhere, made of their records.
@Suite struct RemoteSessionTests {
    private static func records(_ name: String) throws -> [RemoteRecord] {
        let text = try String(contentsOfFile: "\(Replay.folder)/\(name).jsonl", encoding: .utf8)
        return text.split(separator: "\n").filter { !$0.contains(#""type":"stream_event""#) }.enumerated().map {
            let isGiven = $0.element.hasPrefix("> ")
            return RemoteRecord(
                number: UInt64($0.offset + 1), time: Date(timeIntervalSince1970: Double($0.offset)),
                by: isGiven ? "ann" : nil, line: isGiven ? String($0.element.dropFirst(2)) : String($0.element))
        }
    }

    private static func told(_ records: [RemoteRecord], to session: inout RemoteSession) -> [RemoteSession.Told] {
        records.flatMap { session.apply($0).told }
    }

    @Test(arguments: Replay.names)
    func theSameRecordsGiveTheSameEventsHoweverOftenTheyCome(_ name: String) throws {
        let records = try Self.records(name)
        var once = RemoteSession()
        let all = Self.told(records, to: &once)
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.seq < $1.seq })
        #expect(!all.contains { $0.type == .gap })
        // Half, then all again: what is known is no news.
        var again = RemoteSession()
        let first = Self.told(Array(records.prefix(records.count / 2)), to: &again)
        let second = Self.told(records, to: &again)
        #expect((first + second).map(\.seq) == all.map(\.seq))
        #expect((first + second).map(\.data) == all.map(\.data))
        #expect(
            all.count { $0.type == .turnStarted } == all.count { $0.type == .turnCompleted }
                + (name == "killed" ? 1 : 0))
    }

    @Test func whatIsMissingIsAGapAndWhatFollowsHasItsNumbers() throws {
        let records = try Self.records("tool")
        var whole = RemoteSession()
        let all = Self.told(records, to: &whole)
        let assistant = try #require(all.last { $0.type == .messageAssistant })
        var late = RemoteSession()
        let rest = Self.told(Array(records.suffix(6)), to: &late)
        #expect(rest.first?.type == .gap)
        #expect(rest.last { $0.type == .messageAssistant }.map { $0.seq >> 20 } == assistant.seq >> 20)
    }

    @Test(arguments: Replay.names)
    func whatNoRecordSaysHasRoomAfterAnyEvent(_ name: String) throws {
        let records = try Self.records(name)
        var whole = RemoteSession()
        let all = Self.told(records, to: &whole)
        for (event, next) in zip(all, all.dropFirst()) {
            // A server that was killed between the two says something, and is told all again.
            var again = RemoteSession()
            again.advance(to: event.seq)
            let said = again.note(.sessionParked, [:], at: Date())
            #expect(said.allSatisfy { event.seq < $0.seq && $0.seq < next.seq })
        }
    }

    @Test func anotherRunHasNumbersOfItsOwnAndEndsTheOneBefore() throws {
        let records = try Self.records("denial")
        let asking = try #require(records.firstIndex { $0.line.contains("can_use_tool") })
        var first = RemoteSession()
        _ = Self.told(Array(records[...asking]), to: &first)
        let ended = first.end(nil, at: Date())
        #expect(ended.first { $0.type == .permissionResolved }?.data["resolution"] == "withdrawn")
        #expect(ended.contains { $0.type == .turnCompleted })
        var second = RemoteSession(base: first.lastSequence)
        let all = Self.told(records, to: &second)
        #expect(all.allSatisfy { $0.seq > first.lastSequence })
        #expect(!all.contains { $0.type == .gap })
    }

    @Test func anAnswerIsToldWithWhoGaveIt() throws {
        let records = try Self.records("denial")
        var session = RemoteSession()
        let all = Self.told(records, to: &session)
        let asked = try #require(all.firstIndex { $0.type == .permissionRequested })
        #expect(all[asked - 1].data["activity"] == "pending")
        let resolved = try #require(all.first { $0.type == .permissionResolved })
        #expect(resolved.data["by"] == "ann")
        #expect(resolved.data["resolution"] == "denied")
        #expect(session.permissions.open.isEmpty)
        #expect(throws: CommandFailure.self) {
            try session.permissions.question(
                for: PermissionAnswer(id: resolved.data["id"]?.string ?? "", decision: .allow))
        }
    }

    @Test(arguments: [
        // Given up by the program: an interrupt that comes with it does that.
        ([#"{"type":"command_lifecycle","command_uuid":"q","state":"cancelled"}"#], "session"),
        // Asked back by somebody, whichever of the program's two words comes first.
        (
            [
                #"> {"type":"control_request","request_id":"r","request":{"subtype":"cancel_async_message","message_uuid":"q"}}"#,
                #"{"type":"command_lifecycle","command_uuid":"q","state":"cancelled"}"#,
                #"{"type":"control_response","response":{"subtype":"success","request_id":"r","response":{"cancelled":true}}}"#,
            ], "ann"
        ),
        (
            [
                #"> {"type":"control_request","request_id":"r","request":{"subtype":"cancel_async_message","message_uuid":"q"}}"#,
                #"{"type":"control_response","response":{"subtype":"success","request_id":"r","response":{"cancelled":true}}}"#,
                #"{"type":"command_lifecycle","command_uuid":"q","state":"cancelled"}"#,
            ], "ann"
        ),
    ])
    func aPromptThatIsTakenBackIsToldOnceWithWhoDidIt(_ lines: [String], _ by: String) {
        let before = [
            #"> {"type":"user","message":{"role":"user","content":"first"},"uuid":"p"}"#,
            #"{"type":"command_lifecycle","command_uuid":"p","state":"started"}"#,
            #"{"type":"system","subtype":"init","model":"m"}"#,
            #"> {"type":"user","message":{"role":"user","content":"second"},"uuid":"q"}"#,
            #"{"type":"command_lifecycle","command_uuid":"q","state":"queued"}"#,
        ]
        var session = RemoteSession()
        var told: [RemoteSession.Told] = []
        for (index, line) in (before + lines).enumerated() {
            let isGiven = line.hasPrefix("> ")
            let record = RemoteRecord(
                number: UInt64(index + 1), time: Date(timeIntervalSince1970: Double(index)),
                by: isGiven ? "ann" : nil, line: isGiven ? String(line.dropFirst(2)) : line)
            told += session.apply(record).told
        }
        let withdrawn = told.filter { $0.type == .promptWithdrawn }
        #expect(withdrawn.map { $0.data["prompt_id"] } == ["q"])
        #expect(withdrawn.map { $0.data["by"]?.string } == [by])
        #expect(session.engine.prompts.map(\.id) == ["p"])
    }

    @Test func aRecordIsReadAsItWasWritten() throws {
        let record = RemoteRecord(
            number: 7, time: Date(timeIntervalSince1970: 1_767_225_600.5), by: "ann", request: "r", line: "{}")
        #expect(RemoteRecord(record.json) == record)
        for bad in [#"{"type":"record"}"#, #"{"type":"record","n":0,"t":1,"line":"{}"}"#, "[]"] {
            #expect(RemoteRecord(try #require(JSONValue(parsing: bad))) == nil)
        }
    }
}
