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
}
