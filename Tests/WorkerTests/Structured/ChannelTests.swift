import Foundation
import Glibc
import SessionCore
import Testing
import WorkerControl

/// A session with a channel, and a program that stands for one that takes notifications (`channel_program.py`).
private final class Session: Sendable {
    let folder = "/tmp/rkc-\(UInt32.random(in: 0 ... .max))"
    private let id = SessionID()

    init() throws {
        for path in ["/home", "/journal"] {
            try FileManager.default.createDirectory(atPath: folder + path, withIntermediateDirectories: true)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private static let program =
        ["python3"] + [
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("Support/channel_program.py").path
        ]

    /// Runs an incarnation whose program does so with notifications.
    func run(
        _ mode: String, _ incarnation: Int = 1,
        _ body: (WorkerFixture, NoticeLog, WorkerConnection) async throws -> Void
    ) async throws {
        let kept = WorkerFixture.Kept(
            session: id, incarnation: incarnation, home: folder + "/home", journal: folder + "/journal")
        var streams = WorkerFixture.Streams(offersChannel: true)
        streams.environment = ["CHANNEL": mode]
        try await WorkerFixture.with(Self.program, kept: kept, streams: streams) { fixture in
            let connection = try await fixture.connect()
            let notices = NoticeLog(connection)
            _ = try await connection.send(.subscribe(since: 0))
            try await eventually("the program listens") { fixture.log.contains("listens to its channel") }
            try await body(fixture, notices, connection)
            await connection.close()
        }
    }

    private func lines(_ name: String) -> [String] {
        ((try? String(contentsOfFile: "\(folder)/home/\(name)", encoding: .utf8)) ?? "")
            .split(separator: "\n").map(String.init)
    }

    /// What the program began: `channel TEXT` or `stdin TEXT`.
    var given: [String] { lines("given") }
    /// What came on its event stream.
    var heard: [JSONValue] { lines("heard").compactMap { JSONValue(parsing: $0) } }

    /// Lets a turn go on that waits.
    func letGo() { _ = FileManager.default.createFile(atPath: folder + "/home/go", contents: nil) }
}

private let origin = CommandOrigin(principal: "ann", access: .drive)

/// Says something over claude-socket's wire; answers the prompt's name.
private func say(_ text: String, to connection: WorkerConnection, byWire: Bool = true) async throws -> String {
    let channel = byWire ? ChannelOrigin(chat: "kitchen", user: "Ann", time: "2026-01-01T00:00:00Z") : nil
    let command = SessionCommand.prompt(text: text, images: [], clientID: nil, channel: channel)
    guard case .outcome(.done(let data)) = try await connection.send(.session(command, origin)),
        let id = data["prompt_id"]?.string
    else { throw TimedOut(description: "'\(text)' was not accepted") }
    return id
}

extension NoticeLog {
    fileprivate func told(_ type: EventType, of prompt: String) -> [SessionEvent] {
        events.filter { event in
            event.type == type
                && (event.data["prompt_id"]?.string == prompt
                    || event.data["prompt_ids"]?.array?.contains(.string(prompt)) == true)
        }
    }

    fileprivate var isIdle: Bool { events.last { $0.type == .sessionActivity }?.data["activity"] == "idle" }
}

@Suite("A session with a channel", .timeLimit(.minutes(2)))
struct ChannelTests {
    @Test("what is said goes as a notification, once, and its turn is named after it")
    func taken() async throws {
        let session = try Session()
        try await session.run("take") { fixture, notices, connection in
            let first = try await say("hello \"you\"", to: connection)
            try await eventually("its turn") { !notices.told(.turnCompleted, of: first).isEmpty && notices.isIdle }
            #expect(session.given == ["channel hello \"you\""])
            let note = try #require(session.heard.first)
            #expect(note["method"] == "notifications/claude/channel")
            #expect(note["params"]?["content"] == "hello \"you\"")
            #expect(
                note["params"]?["meta"] == [
                    "chat_id": "kitchen", "user": "Ann", "ts": "2026-01-01T00:00:00Z", "source": "websocket",
                    "message_id": .string(first),
                ])
            #expect(session.heard.map { $0["method"]?.string } == ["notifications/claude/channel", "ping"])
            let delivered = notices.told(.inputDelivered, of: first)
            #expect(delivered.map { $0.data["by_channel"] } == [true])
            #expect(notices.told(.turnStarted, of: first).count == 1)
            #expect(notices.told(.messageUser, of: first).map { $0.data["text"] } == ["hello \"you\""])
            #expect(notices.events.contains { $0.type == .sessionSettings && $0.data["channels"] == "taken" })

            // While a turn runs, too; what comes by other ways keeps its place behind it.
            let slow = try await say("WAIT a", to: connection)
            try await eventually("it runs") { !notices.told(.turnStarted, of: slow).isEmpty }
            let second = try await say("second", to: connection)
            try await eventually("it is heard") { session.heard.count == 6 }
            guard
                case .outcome(.failed(let failure)) = try await connection.send(
                    .session(.withdraw(promptID: second), origin))
            else { throw TimedOut(description: "taken back") }
            #expect(failure.code == "already_begun")
            let third = try await say("third", to: connection, byWire: false)
            session.letGo()
            try await eventually("all of it") { !notices.told(.turnCompleted, of: third).isEmpty && notices.isIdle }
            #expect(session.given.dropFirst() == ["channel WAIT a", "channel second", "stdin third"])
            for prompt in [slow, second, third] {
                #expect(notices.told(.inputDelivered, of: prompt).count == 1)
                #expect(notices.told(.turnStarted, of: prompt).count == 1)
                #expect(notices.told(.turnCompleted, of: prompt).count == 1)
                #expect(notices.told(.messageUser, of: prompt).count == 1)
            }
        }
    }

    @Test("what is not taken comes as a prompt, once, and nothing is tried again")
    func dropped() async throws {
        let session = try Session()
        try await session.run("drop") { fixture, notices, connection in
            let begin = Date()
            let first = try await say("first", to: connection)
            // What comes after it waits for it.
            let next = try await say("next", to: connection, byWire: false)
            try await eventually("both") { !notices.told(.turnCompleted, of: next).isEmpty && notices.isIdle }
            let seconds = Date().timeIntervalSince(begin)
            #expect(seconds > 4.5 && seconds < 15)
            #expect(notices.told(.inputDelivered, of: first).map { $0.data["by_channel"] } == [nil])
            #expect(notices.events.contains { $0.type == .sessionSettings && $0.data["channels"] == "refused" })
            let later = try await say("later", to: connection)
            try await eventually("it", within: 4) { !notices.told(.turnCompleted, of: later).isEmpty }
            #expect(session.given == ["stdin first", "stdin next", "stdin later"])
            #expect(session.heard.count == 2)
        }
    }

    @Test("what the program lost with itself is given to the next, once")
    func lost() async throws {
        let session = try Session()
        try await session.run("hold") { fixture, notices, connection in
            _ = try await say("unlucky", to: connection)
            try await eventually("it is heard") { !session.heard.isEmpty }
            try await eventually("it waits in the program") {
                notices.events.contains { $0.type == .sessionSettings && $0.data["channels"] == "taken" }
            }
            fixture.worker.kill()
        }
        #expect(session.given == [])
        try await session.run("take", 2) { fixture, notices, connection in
            try await eventually("its turn") { session.given.count == 1 && notices.isIdle }
            let last = try await say("after", to: connection)
            try await eventually("the next") { !notices.told(.turnCompleted, of: last).isEmpty }
            #expect(session.given == ["stdin unlucky", "channel after"])
        }
    }

    @Test("what the program took as its worker was killed is not given again")
    func foundAgain() async throws {
        let session = try Session()
        try await session.run("die") { fixture, _, connection in
            _ = try? await say("lucky", to: connection)
            _ = await fixture.workerExit()
            try await eventually("it is stored") { session.given.count == 1 }
            try await Task.sleep(for: .milliseconds(200))
        }
        try await session.run("take", 2) { fixture, notices, connection in
            try await eventually("it is found") {
                notices.events.contains { $0.type == .inputDelivered && $0.data["found"] == true }
            }
            #expect(notices.events.filter { $0.type == .messageUser }.map { $0.data["text"] } == ["lucky"])
            let last = try await say("after", to: connection)
            try await eventually("the next") { !notices.told(.turnCompleted, of: last).isEmpty }
            #expect(session.given == ["channel lucky", "channel after"])
        }
    }
}
