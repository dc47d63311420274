import ClaudeCode
import Foundation
import Glibc
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
            let line = #"{"type":"assistant","message":{"content":[{"type":"text","text":"\#(text)"}]}}"# + "\n"
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
            #expect(tail.read().items == [.assistantText("early")])
            try answer("late")
            #expect(tail.read().items == [.assistantText("late")])
        }
    }

    @Test("what an earlier incarnation wrote is not read again")
    func resumed() throws {
        try withHome { home, answer in
            try answer("before")
            let earlier = EarlierTranscripts(of: Self.id, in: home)
            try answer("after")
            var tail = try #require(TranscriptTail(home: home, absolutePath: Self.path, after: earlier))
            #expect(tail.read().items == [.assistantText("after")])
        }
    }

    @Test("of a conversation that was taken up by hand only what is new is read")
    func another() throws {
        try withHome(transcript: "other") { home, answer in
            let earlier = EarlierTranscripts(of: Self.id, in: home)
            try answer("long ago")
            var tail = try #require(
                TranscriptTail(home: home, absolutePath: "/home/agent/\(Self.project)/other.jsonl", after: earlier))
            try answer("now")
            #expect(tail.read().items == [.assistantText("now")])
        }
    }
}
