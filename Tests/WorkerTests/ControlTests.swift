import Foundation
import Glibc
import NIOCore
import SessionCore
import Synchronization
import Testing
import WorkerControl

/// Collects a connection's notices.
final class NoticeLog: Sendable {
    private let notices = Mutex<[WorkerNotice]>([])
    private let reader: Task<Void, Never>

    init(_ connection: WorkerConnection) {
        let stream = connection.notices
        let box = Box()
        self.box = box
        reader = Task {
            for await notice in stream { box.notices.withLock { $0.append(notice) } }
        }
    }

    private final class Box: Sendable { let notices = Mutex<[WorkerNotice]>([]) }
    private let box: Box

    var events: [SessionEvent] {
        box.notices.withLock { $0.compactMap { if case .event(let event) = $0 { event } else { nil } } }
    }
    var end: WorkerEnd? {
        box.notices.withLock { $0.lazy.compactMap { if case .ended(let end) = $0 { end } else { nil } }.first }
    }
    var isDisconnected: Bool {
        box.notices.withLock { $0.contains { if case .disconnected = $0 { true } else { false } } }
    }
}

@Suite("The control socket", .timeLimit(.minutes(2)))
struct ControlTests {
    @Test("hello says who the worker is")
    func hello() async throws {
        try await WorkerFixture.with(["cat"], firstSequence: 500) { fixture in
            let connection = try await fixture.connect()
            #expect(connection.hello.sessionID == fixture.sessionID)
            #expect(connection.hello.pid == fixture.worker.pid)
            let stat = try String(contentsOfFile: "/proc/\(fixture.worker.pid)/stat", encoding: .utf8)
            #expect(stat.contains(" \(connection.hello.startTime) "))
            #expect(connection.hello.status.lastSequence >= 499)
            await #expect(throws: WorkerConnectionError.self) {
                _ = try await WorkerConnection.connect(to: fixture.controlSocket, on: fixture.group, expectedUID: 12345)
            }
        }
    }

    @Test("input is acknowledged once, typed once, and told to subscribers")
    func input() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let connection = try await fixture.connect()
            let notices = NoticeLog(connection)
            _ = try await connection.send(.subscribe(since: 0))
            let client = try await TestClient.attach(to: fixture, mode: "view")
            // No path comes from this command: it counts as ready with its first output.
            let first = try await connection.send(.input(text: "typed text", clientID: "c1", submit: true))
            let second = try await connection.send(.input(text: "typed text", clientID: "c1", submit: true))
            guard case .accepted(let seq) = first, case .accepted(let again) = second else {
                Issue.record("\(first) \(second)")
                return
            }
            #expect(seq == again)
            try await client.shows("typed text\r\ntyped text\r\n")
            try await eventually("the delivery") {
                notices.events.contains { $0.type == .inputDelivered && $0.data["client_id"] == "c1" }
            }
            let accepted = notices.events.filter { $0.type == .inputAccepted }
            #expect(accepted.map(\.seq) == [seq])
            // What is seen of an input comes after it: readers take numbers that rise.
            let numbers = notices.events.map(\.seq)
            #expect(numbers == numbers.sorted())
            #expect(accepted.first?.data["text"] == "typed text")
            #expect(client.received.screen.components(separatedBy: "typed text").count == 3)
            guard
                case .refused(let code, _) = try await connection.send(
                    .input(text: String(repeating: "x", count: 300_000), clientID: nil, submit: true))
            else {
                Issue.record("an endless text was taken")
                return
            }
            #expect(code == "input_too_large")
        }
    }

    @Test("events are replayed above the number asked for, and a hole is told")
    func replay() async throws {
        try await WorkerFixture.with(["cat"], firstSequence: 100) { fixture in
            let connection = try await fixture.connect()
            let notices = NoticeLog(connection)
            for index in 1...3 {
                _ = try await connection.send(.record(type: .sessionLimits, data: ["n": .integer(Int64(index))]))
            }
            #expect(notices.events.isEmpty)
            _ = try await connection.send(.subscribe(since: 50))
            try await eventually("the replay") { notices.events.filter { $0.type == .sessionLimits }.count == 3 }
            #expect(notices.events.first?.type == .gap)
            let second = try #require(notices.events.filter { $0.type == .sessionLimits }.dropFirst().first)
            let again = try await fixture.connect()
            let rest = NoticeLog(again)
            _ = try await again.send(.subscribe(since: second.seq))
            try await eventually("the rest") { rest.events.contains { $0.data["n"] == 3 } }
            #expect(!rest.events.contains { $0.data["n"] == 2 })
        }
    }

    @Test("the session outlives its supervisor, which finds it again")
    func reconnect() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let first = try await fixture.connect()
            let notices = NoticeLog(first)
            let client = try await TestClient.attach(to: fixture)
            await first.close()
            try await eventually("the disconnect notice") { notices.isDisconnected }
            await #expect(throws: WorkerConnectionError.self) { _ = try await first.send(.status) }
            client.send(keys: "alone\r")
            try await client.shows("alone\r\nalone")
            let second = try await fixture.connect()
            guard case .status(let status) = try await second.send(.status) else {
                Issue.record("no status")
                return
            }
            #expect(status.clients.map(\.principal) == ["alice"])
            #expect(status.clients.first?.driving == true)
            #expect(status.lastInput != nil)
        }
    }

    @Test("a worker that does not answer is unresponsive")
    func unresponsive() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let connection = try await fixture.connect()
            fixture.worker.kill(SIGSTOP)
            try await eventually("the worker to be stopped") {
                // Every thread: the process shows as stopped when its first one is.
                let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(fixture.worker.pid)/task")
                return try tasks.allSatisfy {
                    try String(contentsOfFile: "/proc/\(fixture.worker.pid)/task/\($0)/stat", encoding: .utf8)
                        .contains(") T ")
                }
            }
            await #expect(throws: WorkerConnectionError.unresponsive("status")) {
                _ = try await connection.send(.status, within: .milliseconds(300))
            }
            fixture.worker.kill(SIGCONT)
            _ = try await connection.send(.status)
        }
    }

    @Test("the screen as text")
    func screen() async throws {
        try await WorkerFixture.with(["bash", "-c", "printf 'one\\ntwo\\n'; exec cat"]) { fixture in
            let connection = try await fixture.connect()
            try await eventually("the screen") {
                guard case .screen(let screen) = try await connection.send(.screen(.text)) else { return false }
                return screen.content.contains("one") && screen.content.contains("two") && screen.size == .standard
            }
        }
    }

    @Test("stop ends the command politely")
    func stop() async throws {
        try await WorkerFixture.with(["bash", "-c", "trap 'echo bye; exit 7' TERM; while :; do sleep 0.05; done"]) {
            fixture in
            let connection = try await fixture.connect()
            let notices = NoticeLog(connection)
            let client = try await TestClient.attach(to: fixture)
            try await Task.sleep(for: .milliseconds(500))
            _ = try await connection.send(.stop(grace: 30))
            let end = try await eventually("the end") { notices.end }
            #expect(end.exit == ExitStatus(code: 7, signal: nil))
            #expect(end.requested)
            #expect(end.lastLines.contains("bye"))
            try await client.message("exit") { $0["code"] == 7 }
            try await eventually("the close") { client.received.closeCode == 1000 }
            #expect(await fixture.workerExit() == 0)
            #expect(!FileManager.default.fileExists(atPath: fixture.controlSocket))
        }
    }

    @Test("what was acknowledged just before a stop is read before the program is ended")
    func readsBeforeItEnds() async throws {
        let script = """
            while [ ! -e "$HOME/go" ]; do sleep 0.02; done; read -r line; echo "$line" >"$HOME/said"; exec cat
            """
        try await WorkerFixture.with(["sh", "-c", script]) { fixture in
            let connection = try await fixture.connect()
            let notices = NoticeLog(connection)
            _ = try await connection.send(.subscribe(since: 0))
            _ = try await connection.send(.input(text: "the last words", clientID: nil, submit: true))
            try await eventually("the text in the terminal") { notices.events.contains { $0.type == .inputDelivered } }
            _ = try await connection.send(.stop(grace: 30))
            try await Task.sleep(for: .milliseconds(200))
            #expect(FileManager.default.createFile(atPath: fixture.home + "/go", contents: nil))
            let end = try await eventually("the end") { notices.end }
            #expect(end.exit == ExitStatus(code: nil, signal: SIGTERM))
            #expect(try String(contentsOfFile: fixture.home + "/said", encoding: .utf8) == "the last words\n")
        }
    }

    @Test("a command that ignores the request is ended after the grace time")
    func stopByForce() async throws {
        try await WorkerFixture.with(["bash", "-c", "trap '' TERM; while :; do sleep 0.05; done"]) { fixture in
            let connection = try await fixture.connect()
            let notices = NoticeLog(connection)
            try await Task.sleep(for: .milliseconds(300))
            _ = try await connection.send(.stop(grace: 0.5))
            let end = try await eventually("the end") { notices.end }
            #expect(end.exit == ExitStatus(code: nil, signal: SIGKILL))
            #expect(await fixture.workerExit() == 0)
        }
    }

    @Test("SIGTERM to the worker ends the session, then the worker")
    func terminate() async throws {
        try await WorkerFixture.with(["sleep", "1000"]) { fixture in
            let notices = NoticeLog(try await fixture.connect())
            fixture.worker.kill(SIGTERM)
            let end = try await eventually("the end") { notices.end }
            #expect(end.exit == ExitStatus(code: nil, signal: SIGTERM))
            #expect(await fixture.workerExit() == 0)
        }
    }

    @Test("a command that exits at once leaves its reason")
    func exitsAtOnce() async throws {
        try await WorkerFixture.with(["bash", "-c", "echo 'no such thing' >&2; exit 127"]) { fixture in
            // Later than the command's end: the worker waits to be asked.
            try await Task.sleep(for: .seconds(1))
            let notices = NoticeLog(try await fixture.connect())
            let end = try await eventually("the end") { notices.end }
            #expect(end.exit == ExitStatus(code: 127, signal: nil))
            #expect(!end.requested)
            #expect(end.lastLines.contains("no such thing"))
            try await eventually("the disconnect") { notices.isDisconnected }
        }
    }

    @Test("the transcript's path is taken from the first line and not shown")
    func transcriptPath() async throws {
        let script = "echo /home/agent/.claude/projects/-workspace/x.jsonl; echo visible; exec cat"
        try await WorkerFixture.with(["bash", "-c", script]) { fixture in
            let connection = try await fixture.connect()
            try await eventually("the path") {
                guard case .status(let status) = try await connection.send(.status) else { return false }
                return status.transcriptPath == "/home/agent/.claude/projects/-workspace/x.jsonl"
            }
            try await eventually("the rest") {
                guard case .screen(let screen) = try await connection.send(.screen(.text)) else { return false }
                return screen.content.contains("visible") && !screen.content.contains("jsonl")
            }
        }
    }
}
