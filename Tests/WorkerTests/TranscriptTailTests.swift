import ClaudeCode
import Foundation
import Glibc
import SessionCore
import Testing

@testable import Worker

struct TranscriptTailTests {
    private static let project = ".claude/projects/p"
    private static let id = "11111111-2222-4333-8444-555555555555"
    private static let path = "/home/agent/\(project)/\(id).jsonl"

    /// Runs the body with a home that has one project, and a way to append an answer to its transcript.
    private func withHome(
        transcript name: String = id, _ body: (HomeDirectory, (String) throws -> Void) throws -> Void
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "rkt-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(
            at: folder.appending(path: Self.project), withIntermediateDirectories: true)
        let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(descriptor) }
        try body(HomeDirectory(descriptor: descriptor)) { text in
            let time = Date.ISO8601FormatStyle(includingFractionalSeconds: true).format(Date())
            let line =
                #"{"type":"assistant","uuid":"u-\#(text)","timestamp":"\#(time)","message":{"content":[{"type":"text","#
                + #""text":"\#(text)"}]}}"# + "\n"
            let file = open(
                "\(folder.path)/\(Self.project)/\(name).jsonl", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            defer { close(file) }
            #expect(write(file, line, line.utf8.count) == line.utf8.count)
        }
    }

    /// Runs the body with a home whose session's transcript has these lines.
    private func withLines(_ lines: [String], _ body: (HomeDirectory) throws -> Void) throws {
        try withHome { home, _ in
            let file = openat(
                home.descriptor, "\(Self.project)/\(Self.id).jsonl", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            defer { close(file) }
            let text = lines.joined(separator: "\n") + "\n"
            #expect(write(file, text, text.utf8.count) == text.utf8.count)
            try body(home)
        }
    }

    @Test("what the command wrote before its transcript was named is read")
    func early() throws {
        try withHome { home, answer in
            let earlier = EarlierTranscripts(of: Self.id, in: home)
            try answer("early")
            var tail = try #require(TranscriptTail(home: home, absolutePath: Self.path, after: earlier))
            #expect(tail.read().lines.flatMap(\.items) == [.assistantText("early")])
            try answer("late")
            #expect(tail.read().lines.flatMap(\.items) == [.assistantText("late")])
        }
    }

    @Test("what an earlier incarnation wrote is not read again")
    func resumed() throws {
        try withHome { home, answer in
            try answer("before")
            let earlier = EarlierTranscripts(of: Self.id, in: home)
            try answer("after")
            var tail = try #require(TranscriptTail(home: home, absolutePath: Self.path, after: earlier))
            #expect(tail.read().lines.flatMap(\.items) == [.assistantText("after")])
        }
    }

    @Test("of a conversation that was taken up by hand only what is new is read")
    func another() throws {
        try withHome(transcript: "other") { home, answer in
            try answer("long ago")
            usleep(5000)
            let earlier = EarlierTranscripts(of: Self.id, in: home)
            usleep(5000)
            try answer("before it was named")
            var tail = try #require(
                TranscriptTail(home: home, absolutePath: "/home/agent/\(Self.project)/other.jsonl", after: earlier))
            try answer("now")
            #expect(
                tail.read().lines.flatMap(\.items) == [.assistantText("before it was named"), .assistantText("now")])
        }
    }

    @Test(
        "what was stored and not read before the worker was killed is told by the next",
        arguments: [("u-b", ["c", "d"]), ("u-d", []), ("u-gone", []), (nil, ["c", "d"])] as [(String?, [String])])
    func missed(last: String?, texts: [String]) throws {
        try withHome { home, answer in
            try answer("a")
            try answer("b")
            usleep(5000)
            let began = Date()
            usleep(5000)
            try answer("c")
            try answer("d")
            let events = MissedMessages(of: Self.id, in: home).events(after: last, since: began)
            let told = texts.map { ["text": .string($0), "uuid": .string("u-\($0)"), "recovered": true] as JSONValue }
            #expect(events.map(\.data) == told)
            #expect(events.allSatisfy { $0.type == .messageAssistant })
        }
    }

    @Test("tools are told of once, and each comes to its end")
    func tools() throws {
        let lines = [
            #"{"type":"assistant","uuid":"a","message":{"content":[{"type":"text","text":"first"}]}}"#,
            Self.use("told"), Self.result("told", "in time"), Self.use("untold"), Self.use("cut"),
            Self.result("untold", "late"), Self.result("over", "twice"),
        ]
        let told = [
            JournalRecovery.Tool(id: "told", name: "Bash", isOpen: true),
            JournalRecovery.Tool(id: "over", name: "Bash", isOpen: false),
            JournalRecovery.Tool(id: "unstored", name: "Read", isOpen: true),
        ]
        try withLines(lines) { home in
            let events = MissedMessages(of: Self.id, in: home).events(after: "a", since: Date(), tools: told)
            #expect(
                events.map { "\($0.type.rawValue) \($0.data["tool_use_id"]?.string ?? "")" } == [
                    "tool.completed told", "tool.started untold", "tool.started cut", "tool.completed untold",
                    "tool.completed unstored", "tool.completed cut",
                ])
            #expect(events.map { $0.data["output"]?.string } == ["in time", nil, nil, "late", nil, nil])
            #expect(events.map { $0.data["interrupted"]?.bool } == [nil, nil, nil, nil, true, true])
            #expect(events.map { $0.data["is_error"]?.bool } == [false, nil, nil, false, true, true])
        }
    }

    private static func use(_ id: String) -> String {
        #"{"type":"assistant","uuid":"u-\#(id)","message":{"content":[{"type":"tool_use","id":"\#(id)","name":"Bash","#
            + #""input":{"command":"true"}}]}}"#
    }

    private static func result(_ id: String, _ text: String) -> String {
        #"{"type":"user","uuid":"r-\#(id)","message":{"content":[{"type":"tool_result","tool_use_id":"\#(id)","#
            + #""content":"\#(text)"}]}}"#
    }
}
