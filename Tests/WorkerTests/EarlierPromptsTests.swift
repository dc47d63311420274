import Foundation
import Glibc
import Testing

@testable import Worker

/// What a program that is gone had made something of, by what it stored.
struct EarlierPromptsTests {
    private static let transcript = """
        {"type":"user","timestamp":"2026-11-25T20:30:38.544Z","message":{"content":"SAY hello\\nthere"}}
        {"type":"user","timestamp":"2026-11-25T20:29:00.000Z","message":{"content":"old"}}
        {"type":"user","timestamp":"2026-11-25T20:30:40.000Z","message":{"content":[{"type":"text","text":"xmixedy"}]}}
        {"type":"attachment","timestamp":"2026-11-25T20:30:41.000Z","attachment":{"type":"queued_command","prompt":"SAY absorbed","commandMode":"prompt"}}
        {"type":"user","timest
        """
    private static let history = """
        {"display":"SAY queued","pastedContents":{},"timestamp":1795638641000,"sessionId":"s"}
        {"display":"/cost","pastedContents":{},"timestamp":1795638641572,"sessionId":"s"}
        {"display":"!make all","timestamp":1795638642000}
        {"display":"/old","timestamp":1795638000000}
        {"display":"/torn","timest
        """

    @Test(arguments: [
        ("SAY hello\nthere", false, true), ("SAY hello", false, false), ("old", false, false), ("mixed", false, false),
        ("mixed", true, true), ("SAY absorbed", false, true), ("SAY queued", false, false), ("/cost", false, true),
        ("!make all", false, true),
        ("/old", false, false), ("/torn", false, false),
    ])
    func knowsMessagesByTheTranscriptAndCommandsByTheHistory(text: String, asPart: Bool, isThere: Bool) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "rkt-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let project = folder.appending(path: ".claude/projects/p")
        try FileManager.default.createDirectory(at: project, withIntermediateDirectories: true)
        try Data(Self.transcript.utf8).write(to: project.appending(path: "t.jsonl"))
        try Data(Self.history.utf8).write(to: folder.appending(path: ".claude/history.jsonl"))
        let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(descriptor) }
        let prompts = EarlierPrompts(
            in: HomeDirectory(descriptor: descriptor), absolutePath: "/home/agent/.claude/projects/p/t.jsonl",
            since: Date(timeIntervalSince1970: 1_795_638_638))
        #expect(prompts.contain(text, asPart: asPart) == isThere)
    }
}
