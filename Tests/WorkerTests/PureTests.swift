import Foundation
import NIOCore
import SessionCore
import Testing

@testable import Worker
@testable import WorkerControl

struct TranscriptAnnouncementTests {
    @Test(
        "the first line is taken when it is a transcript's path, and nothing else is",
        arguments: [
            (["/a/b.jsonl\r\nrest"], "/a/b.jsonl", "rest"),
            (["/a/", "b.jsonl", "\n", "rest"], "/a/b.jsonl", "rest"),
            (["hello\n/a/b.jsonl\n"], nil, "hello\n/a/b.jsonl\n"),
            (["/bin/ls: no\n"], nil, "/bin/ls: no\n"),
            (["/a/b.jsonl\u{1b}[0m\n"], nil, "/a/b.jsonl\u{1b}[0m\n"),
            (["/", "\u{1b}[1mx"], nil, "/\u{1b}[1mx"),
            (["\u{1b}[H", "x"], nil, "\u{1b}[Hx"),
        ] as [([String], String?, String)])
    func filter(parts: [String], path: String?, rest: String) {
        var announcement = TranscriptAnnouncement()
        var shown = ""
        for part in parts { shown += String(buffer: announcement.filter(ByteBuffer(string: part))) }
        #expect(announcement.isDecided)
        #expect(announcement.path == path)
        #expect(shown == rest)
    }

    @Test(
        "the echo of keys typed too early does not hide the path",
        arguments: [
            (["go\r\n/a/b.jsonl\r\nrest"], "/a/b.jsonl", "go\r\nrest"),
            (["go", "\r\n/a/", "b.jsonl\n", "rest"], "/a/b.jsonl", "go\r\nrest"),
            (["g", "o/a/b.jsonl\nrest"], "/a/b.jsonl", "gorest"),
            (["go\r\n\u{1b}[Hx\n/a/b.jsonl\n"], nil, "go\r\n\u{1b}[Hx\n/a/b.jsonl\n"),
        ] as [([String], String?, String)])
    func echo(parts: [String], path: String?, rest: String) {
        var announcement = TranscriptAnnouncement()
        announcement.keysWereTyped()
        var shown = ""
        for part in parts { shown += String(buffer: announcement.filter(ByteBuffer(string: part))) }
        #expect(announcement.isDecided)
        #expect(announcement.path == path)
        #expect(shown == rest)
    }

    @Test("a line that never ends is given up")
    func endless() {
        var announcement = TranscriptAnnouncement()
        let shown = announcement.filter(ByteBuffer(string: "/" + String(repeating: "a", count: 5000)))
        #expect(announcement.isDecided)
        #expect(shown.readableBytes == 5001)
    }
}

struct TypedTextTests {
    @Test(
        "text becomes keys",
        arguments: [
            ("hello", "hello"), ("ünï", "ünï"), ("a\tb", "a\tb"), ("a\u{1b}[201~b\u{3}", "a[201~b"),
            ("a\nb", "\u{1b}[200~a\rb\u{1b}[201~"), ("a\r\nb\r", "\u{1b}[200~a\rb\r\u{1b}[201~"), ("", ""),
        ])
    func keys(text: String, keys: String) {
        #expect(String(buffer: TypedText.keys(for: text)) == keys)
    }
}

struct CommandStatusTests {
    @Test(
        "the status pipe's lines",
        arguments: [
            ("code 7\n", 7, nil), ("signal 9\n", nil, 9), ("", nil, nil), ("nonsense\n", nil, nil),
            ("code x\n", nil, nil), ("code 1\ncode 2\n", 2, nil),
        ] as [(String, Int32?, Int32?)])
    func parse(text: String, code: Int32?, signal: Int32?) {
        let status = CommandStatus.parse(text)
        #expect(status?.code == code)
        #expect(status?.signal == signal)
        #expect((status == nil) == (code == nil && signal == nil))
    }
}

struct FlowWindowTests {
    @Test("only a client that acknowledges is held to it")
    func window() {
        var flow = FlowWindow()
        flow.sent(1000)
        flow.marked(5)
        #expect(flow.unacknowledged == 0)
        flow.acknowledged(0)
        #expect(flow.unacknowledged == 1000)
        flow.sent(500)
        flow.acknowledged(5)
        #expect(flow.unacknowledged == 500)
        flow.acknowledged(99)
        #expect(flow.unacknowledged == 500)
    }
}

struct NoticeQueueTests {
    private func event(_ seq: UInt64) -> WorkerNotice {
        .event(SessionEvent(seq: seq, time: .distantPast, sessionID: SessionID(), incarnation: 1, type: .turnStarted))
    }

    private func drain(_ queue: inout NoticeQueue) -> [String] {
        var notices: [String] = []
        while let notice = queue.next() {
            switch notice {
            case .event(let event): notices.append("\(event.seq)")
            case .lost(let after): notices.append("lost after \(after)")
            case .ended, .disconnected: notices.append("end")
            }
        }
        return notices
    }

    /// What comes before the worker replays is above what was lost, and would hide it.
    @Test func afterALossNothingPassesBeforeTheReplay() {
        var queue = NoticeQueue(limit: 3)
        queue.append(event(1))
        #expect(drain(&queue) == ["1"])
        for seq in 2...6 { queue.append(event(UInt64(seq))) }
        // A slow reader comes forward all the same.
        #expect(drain(&queue) == ["2", "3", "4", "lost after 4"])
        queue.append(event(7))
        queue.subscribing(since: 4)
        queue.append(event(8))
        #expect(drain(&queue) == [])
        queue.subscribed()
        for seq in 5...6 { queue.append(event(UInt64(seq))) }
        #expect(drain(&queue) == ["5", "6"])
    }
}
