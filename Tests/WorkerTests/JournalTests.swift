import Foundation
import Glibc
import NIOCore
import SessionCore
import Testing
import WorkerControl

/// A session whose workers come and go.
private final class Session: Sendable {
    let folder = "/tmp/rks-\(UInt32.random(in: 0 ... .max))"
    private let id = SessionID()

    init() throws {
        for path in ["/home/.claude/projects/p", "/journal"] {
            try FileManager.default.createDirectory(atPath: folder + path, withIntermediateDirectories: true)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func kept(_ incarnation: Int) -> WorkerFixture.Kept {
        WorkerFixture.Kept(
            session: id, incarnation: incarnation, home: folder + "/home", journal: folder + "/journal")
    }

    var log: JournalReader { get throws { try JournalReader(path: folder + "/journal") } }

    func events() throws -> [SessionEvent] {
        try log.entries(since: 0, kinds: .event, limit: .max).entries.compactMap {
            if case .event(let event) = $0.record { event } else { nil }
        }
    }

    /// A command that says where its transcript is, as Claude Code's start does, and writes down every line that it reads.
    func program(taking: Bool = true) -> [String] {
        let loop = taking ? "while IFS= read -r line; do echo \"$line\" >> \(folder)/taken; done" : "exec sleep 600"
        return ["sh", "-c", "stty -echo; echo /home/agent/.claude/projects/p/t.jsonl; echo ready; \(loop)"]
    }

    /// Claude Code is at its prompt.
    func becomeReady() throws {
        let status = #"{"pid":1,"sessionId":"\#(id)","status":"idle","kind":"interactive","updatedAt":1}"#
        try Data(status.utf8).write(to: URL(fileURLWithPath: folder + "/home/.claude/sessions/1.json"))
    }

    func said(_ text: String) throws {
        let time = Date().formatted(.rookery)
        let line = #"{"type":"user","timestamp":"\#(time)","message":{"role":"user","content":"\#(text)"}}"# + "\n"
        let path = folder + "/home/.claude/projects/p/t.jsonl"
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(line.utf8))
        try file.close()
    }

    var taken: [String] {
        ((try? String(contentsOfFile: folder + "/taken", encoding: .utf8)) ?? "")
            .split(separator: "\n").map(String.init)
    }
}

private func accept(
    _ text: String, _ clientID: String? = nil, by connection: WorkerConnection
) async throws -> UInt64 {
    guard case .accepted(let seq) = try await connection.send(.input(text: text, clientID: clientID, submit: true))
    else { throw TimedOut(description: "'\(text)' was not accepted") }
    return seq
}

@Suite("A session's journal", .timeLimit(.minutes(3)))
struct WorkerJournalTests {
    @Test("what was accepted and not typed when the worker was killed is typed once by the next, in order")
    func acceptedInputs() async throws {
        let session = try Session()
        var seq: UInt64 = 0
        try await WorkerFixture.with(session.program(), kept: session.kept(1)) { fixture in
            let connection = try await fixture.connect()
            // The command is not at its prompt, so nothing of this is typed.
            seq = try await accept("first", "a", by: connection)
            _ = try await accept("second", "b", by: connection)
            fixture.worker.kill()
            await connection.close()
        }
        #expect(session.taken == [])
        try await WorkerFixture.with(session.program(), kept: session.kept(2)) { fixture in
            let connection = try await fixture.connect()
            #expect(try await accept("first", "a", by: connection) == seq)
            let third = try await accept("third", "c", by: connection)
            #expect(third > seq)
            try session.becomeReady()
            try await eventually("three lines") { session.taken.count >= 3 }
            try await Task.sleep(for: .milliseconds(500))
            #expect(session.taken == ["first", "second", "third"])
            // This program keeps no transcript: only an orderly end says that it took what it was given.
            _ = try await connection.send(.stop(grace: 5))
            _ = await fixture.workerExit()
            await connection.close()
        }
        // And the one after types nothing again: it saw the end.
        try await WorkerFixture.with(session.program(), kept: session.kept(3)) { fixture in
            try session.becomeReady()
            try await Task.sleep(for: .seconds(2))
            #expect(session.taken.count == 3)
        }
    }

    @Test("what was typed is typed again when the transcript does not have it, and not when it does")
    func typedInputs() async throws {
        let session = try Session()
        try await WorkerFixture.with(session.program(taking: false), kept: session.kept(1)) { fixture in
            let connection = try await fixture.connect()
            try session.becomeReady()
            _ = try await accept("known", "a", by: connection)
            _ = try await accept("lost", "b", by: connection)
            try await eventually("both are typed") {
                try session.events().filter { $0.type == .inputDelivered }.count == 2
            }
            try session.said("known")
            fixture.worker.kill()
            await connection.close()
        }
        try await WorkerFixture.with(session.program(), kept: session.kept(2)) { _ in
            try session.becomeReady()
            try await eventually("a line") { session.taken.count >= 1 }
            try await Task.sleep(for: .seconds(1))
            #expect(session.taken == ["lost"])
        }
        let deliveries = try session.events().filter { $0.type == .inputDelivered }
        #expect(deliveries.map { $0.data["found"]?.bool ?? false } == [false, false, true, false])
    }

    @Test("numbers go on, the interrupted turn is marked, and clients' bytes are all there")
    func numbers() async throws {
        let session = try Session()
        var shown = ""
        try await WorkerFixture.with(
            ["sh", "-c", "echo hello; read go; for i in $(seq 2000); do echo line $i; done; exec sleep 600"],
            kept: session.kept(1)
        ) { fixture in
            let connection = try await fixture.connect()
            _ = try await connection.send(.record(type: .turnStarted, data: [:]))
            let client = try await TestClient.attach(to: fixture, mode: "view")
            _ = try await accept("go", by: connection)
            try await client.shows("line 2000")
            fixture.worker.kill()
            shown = "line 2000"
            await connection.close()
        }
        let last = try session.log.lastSequence()
        let bytes = try session.log.entries(since: 0, kinds: .output, limit: .max).entries.reduce(into: "") {
            if case .output(let output) = $1.record { $0 += String(buffer: output) }
        }
        #expect(bytes.contains("line 1\r\n") && bytes.contains(shown))
        try await WorkerFixture.with(["cat"], kept: session.kept(2)) { fixture in
            let connection = try await fixture.connect()
            #expect(connection.hello.status.lastSequence > last)
            await connection.close()
        }
        let ends = try session.events().filter { $0.type == .turnCompleted }
        #expect(ends.map { $0.data["reason"] } == ["worker_lost"])
        #expect(ends.allSatisfy { $0.incarnation == 2 && $0.seq > last })
    }

    @Test("a damaged journal starts no session and is left as it is")
    func damage() async throws {
        let session = try Session()
        try await WorkerFixture.with(["cat"], kept: session.kept(1)) { fixture in
            let connection = try await fixture.connect()
            _ = try await accept("hello", by: connection)
            await connection.close()
        }
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: session.folder + "/journal").first)
        let path = URL(fileURLWithPath: "\(session.folder)/journal/\(name)")
        var bytes = try Data(contentsOf: path)
        bytes[110] ^= 1
        try bytes.write(to: path)
        await #expect(throws: TimedOut.self) {
            try await WorkerFixture.with(["cat"], kept: session.kept(2)) { _ in }
        }
        #expect(try Data(contentsOf: path) == bytes)
    }

    @Test("a full disk stops the session and refuses input, and room sets it going again", .enabled(if: geteuid() == 0))
    func fullDisk() async throws {
        let session = try Session()
        let place = session.folder + "/journal"
        guard mount("none", place, "tmpfs", 0, "size=1m") == 0 else { return }
        defer { umount2(place, Int32(MNT_DETACH)) }
        let line = String(repeating: "x", count: 99)
        try await WorkerFixture.with(
            ["sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo \(line); i=$((i+1)); done; echo all is said; exec cat"],
            kept: session.kept(1)
        ) { fixture in
            let connection = try await fixture.connect()
            let client = try await TestClient.attach(to: fixture, mode: "view")
            try await eventually("the journal is full", within: 60) {
                guard case .status(let status) = try await connection.send(.status) else { return false }
                return status.journal?.reason == "disk_full"
            }
            guard case .refused(let code, _) = try await connection.send(.input(text: "x", clientID: nil, submit: true))
            else { throw TimedOut(description: "an input was accepted that cannot be stored") }
            #expect(code == "journal_full")
            let before = client.received.screen.utf8.count
            try await Task.sleep(for: .milliseconds(500))
            #expect(client.received.screen.utf8.count == before)
            #expect(mount("none", place, "tmpfs", UInt(MS_REMOUNT), "size=16m") == 0)
            try await eventually("the rest is shown", within: 60) { client.received.screen.contains("all is said") }
            #expect(
                try session.events().filter { $0.type == .sessionJournal }.map { $0.data["state"] }.prefix(2) == [
                    "stalled", "resumed",
                ])
            await connection.close()
        }
    }
}
