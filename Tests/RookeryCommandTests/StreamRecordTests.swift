import Foundation
import SessionCore
import Testing

@testable import rookery

/// What `rookery wrap --structured` keeps.
struct StreamRecordTests {
    private let question =
        #"{"type":"control_request","request_id":"q","request":{"subtype":"can_use_tool","tool_name":"Bash"}}"#
    private let answer =
        #"{"type":"control_response","response":{"subtype":"success","request_id":"q","response":{"behavior":"allow"}}}"#

    @Test func linesAreNumberedEitherWayAndPiecesAreNot() {
        var record = StreamRecord()
        guard case .record(let first) = record.said(#"{"type":"system"}"#) else {
            Issue.record("no record")
            return
        }
        #expect(first.number == 1)
        #expect(record.said(#"{"type":"stream_event"}"#) == .passing(#"{"type":"stream_event"}"#))
        let given = record.give(#"{"type":"user"}"#, by: "ann", request: "r")
        #expect(given?.number == 2)
        #expect(given?.by == "ann")
        #expect(record.after(0).map(\.number) == [1, 2])
        #expect(record.after(1).map(\.number) == [2])
        #expect(record.after(2).isEmpty)
    }

    @Test func theFirstAnswerIsGivenAndNoOther() {
        var record = StreamRecord()
        _ = record.said(question)
        #expect(record.give(answer, by: "local", request: nil) != nil)
        #expect(record.give(answer, by: "ann", request: "q") == nil)
        #expect(!record.hasGiven("q"))
    }

    @Test func whatTheServerAsksForTwiceIsGivenOnce() {
        var record = StreamRecord()
        #expect(record.give(#"{"type":"user"}"#, by: "ann", request: "r") != nil)
        #expect(record.give(#"{"type":"user"}"#, by: "ann", request: "r") == nil)
        #expect(record.hasGiven("r"))
    }

    @Test func theOldestGoesWhenItIsTooMuch() {
        var record = StreamRecord(capacity: 100)
        for number in 0..<20 { _ = record.said(#"{"type":"system","n":\#(number)}"#) }
        #expect(record.after(0).count < 6)
        #expect(record.after(0).last?.number == 20)
    }
}
