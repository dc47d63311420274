import Foundation
import NIOCore
import NIOPosix
import SessionCore
import Testing
import WorkerControl

/// The event stream of the session's MCP server, on the sandbox's listener.
@Suite("The channel's stream", .timeLimit(.minutes(1)))
struct EventStreamTests {
    private static let request = "GET /mcp HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n"
    private static let closing = request.replacing("\r\n\r\n", with: "\r\nconnection: close\r\n\r\n")
    /// A program that says where its transcript is and then only reads.
    private static let silent = ["sh", "-c", "echo /home/agent/.claude/projects/p/t.jsonl; exec cat > /dev/null"]

    @Test("without a channel there is none")
    func none() async throws {
        try await WorkerFixture.with(Self.silent, streams: WorkerFixture.Streams()) { fixture in
            let answer = try await RawHTTP.exchange(
                port: fixture.listenerPort, Self.closing, on: fixture.group)
            #expect(answer.hasPrefix("HTTP/1.1 405"), "\(answer)")
        }
    }

    @Test("who asks for something else than events gets none of it")
    func other() async throws {
        try await WorkerFixture.with(Self.silent, streams: WorkerFixture.Streams(offersChannel: true)) { fixture in
            for request in [
                Self.closing.replacing("text/event-stream", with: "text/html"),
                Self.closing.replacing("GET /mcp", with: "DELETE /mcp"),
                Self.closing.replacing("GET /mcp", with: "GET /hook/Stop"),
            ] {
                let answer = try await RawHTTP.exchange(port: fixture.listenerPort, request, on: fixture.group)
                #expect(answer.hasPrefix("HTTP/1.1 405"), "\(answer)")
            }
        }
    }

    @Test("it has what is said and a ping after it; a second ends the first, and the session the second")
    func stream() async throws {
        try await WorkerFixture.with(Self.silent, streams: WorkerFixture.Streams(offersChannel: true)) { fixture in
            let connection = try await fixture.connect()
            func listening(_ count: Int) async throws {
                try await eventually("\(count) listen") {
                    fixture.log.split(separator: "\n").count { $0.contains("listens to its channel") } == count
                }
            }
            let first = Task {
                try await RawHTTP.exchange(port: fixture.listenerPort, Self.request, on: fixture.group)
            }
            try await listening(1)
            let second = Task {
                try await RawHTTP.exchange(port: fixture.listenerPort, Self.request, on: fixture.group)
            }
            try await listening(2)
            let ended = try await first.value
            #expect(ended.hasPrefix("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"), "\(ended)")
            #expect(ended.hasSuffix("0\r\n\r\n"), "\(ended)")
            let command = SessionCommand.prompt(
                text: "two\nlines", images: [], clientID: nil, channel: ChannelOrigin(chat: "c"))
            let origin = CommandOrigin(principal: "ann", access: .drive)
            guard case .outcome(.done(let data)) = try await connection.send(.session(command, origin)) else {
                throw TimedOut(description: "not accepted")
            }
            let id = try #require(data["prompt_id"]?.string)
            try await Task.sleep(for: .milliseconds(200))
            fixture.command.kill()
            let said = try await second.value
            let messages = said.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("data: ") }
                .compactMap { JSONValue(parsing: String($0.dropFirst(6))) }
            #expect(messages.count == 2)
            #expect(messages.first?["params"]?["content"] == "two\nlines")
            #expect(messages.first?["params"]?["meta"]?["message_id"] == .string(id))
            #expect(messages.first?["params"]?["meta"]?["user"] == "ann")
            #expect(messages.last?["method"] == "ping")
            #expect(messages.last?["id"] != nil)
            #expect(said.hasSuffix("0\r\n\r\n"), "\(said)")
            await connection.close()
        }
    }

    @Test("that nobody listens any more is noticed")
    func gone() async throws {
        try await WorkerFixture.with(Self.silent, streams: WorkerFixture.Streams(offersChannel: true)) { fixture in
            let channel = try await ClientBootstrap(group: fixture.group)
                .connect(host: "127.0.0.1", port: fixture.listenerPort).get()
            try await channel.writeAndFlush(ByteBuffer(string: Self.request))
            try await eventually("it listens") { fixture.log.contains("listens to its channel") }
            try await channel.close()
            try await eventually("it is noticed") { fixture.log.contains("nobody listens") }
        }
    }
}
