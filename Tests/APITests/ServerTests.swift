import Foundation
import Hummingbird
import NIOCore
import NIOPosix
import Registry
import SessionCore
import Supervisor
import Testing

@testable import API

/// The server on real sockets.
@Suite(.timeLimit(.minutes(2))) struct ServerTests {
    private func get(_ path: String, _ headers: [String] = []) -> String {
        (["GET \(path) HTTP/1.1", "Host: 127.0.0.1"] + headers).joined(separator: "\r\n") + "\r\n\r\n"
    }

    @Test func listensOnEveryAddressAndSaysWhere() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let socket = directory.path + "/api.sock"
        try await ServerFixture.run(
            listeners: [.tcp(host: "127.0.0.1", port: 0), .tcp(host: "127.0.0.1", port: 0), .unix(path: socket)]
        ) { server in
            #expect(server.bound.count == 3)
            #expect(server.bound[0].url == "http://127.0.0.1:\(server.port)")
            #expect(server.port > 0)
            #expect(server.bound[1].url != server.bound[0].url)
            #expect(server.bound[2].url == "unix:\(socket)")
            let mode = try FileManager.default.attributesOfItem(atPath: socket)[.posixPermissions] as? Int
            #expect(mode == 0o660)
            #expect(UnixSocketProbe.answers(socket))
            let client = try await RawClient(port: server.port)
            try await client.send(get("/healthz", ["Connection: close"]))
            let answer = try await client.receiveAll()
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.contains(#"{"status":"ok"}"#))
        }
        #expect(!FileManager.default.fileExists(atPath: socket), "the socket file goes with the server")
    }

    @Test func aPortInUseIsNamedWithARemedy() async throws {
        try await ServerFixture.run { server in
            let taken = APIListener.tcp(host: "127.0.0.1", port: server.port)
            let error = await #expect(throws: APIServerError.self) {
                try await ServerFixture.run(listeners: [.tcp(host: "127.0.0.1", port: 0), taken]) { _ in }
            }
            #expect(error == .addressInUse(taken))
            #expect(error?.description.contains("127.0.0.1:\(server.port)") == true)
            #expect(error?.description.contains("--bind") == true)
        }
    }

    @Test func aSocketOfARunningServerIsNotTakenAndALeftoverIs() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let listener = APIListener.unix(path: directory.path + "/s")
        try await ServerFixture.run(listeners: [listener]) { _ in
            await #expect(throws: APIServerError.addressInUse(listener)) {
                try await ServerFixture.run(listeners: [listener]) { _ in }
            }
        }
        // A crash leaves the file of a socket that nobody listens on.
        let leftover = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(unixDomainSocketPath: directory.path + "/other").get()
        try FileManager.default.moveItem(atPath: directory.path + "/other", toPath: directory.path + "/s")
        try await leftover.close().get()
        try await ServerFixture.run(listeners: [listener]) { _ in }
        // Somebody's file is not ours to remove.
        try Data("mine".utf8).write(to: URL(filePath: directory.path + "/s"))
        let error = await #expect(throws: APIServerError.self) {
            try await ServerFixture.run(listeners: [listener]) { _ in }
        }
        #expect(error?.description.contains("not a socket") == true)
        #expect(FileManager.default.fileExists(atPath: directory.path + "/s"))
    }

    @Test func refusesConfigurationsThatCannotWork() {
        func error(_ listeners: [APIListener], _ mode: AuthenticationMode, tls: TLSFiles? = nil) -> APIServerError? {
            do throws(APIServerError) {
                _ = try APIServer(
                    APIConfiguration(listeners: listeners, authentication: mode, tls: tls), sessions: FakeSessions(),
                    tokens: FakeTokens(), usage: FakeUsage(), credentials: FakeCredentials(), budgets: FakeBudgets(),
                    logger: .silent)
                return nil
            } catch {
                return error
            }
        }
        let open = APIListener.tcp(host: "0.0.0.0", port: 0)
        let local = APIListener.tcp(host: "localhost", port: 0)
        #expect(error([], .token) == .noListeners)
        #expect(error([local, open], .none(ServerFixture.admin)) == .openWithoutAuthentication(open))
        #expect(error([local, .unix(path: "/tmp/x")], .none(ServerFixture.admin)) == nil)
        #expect(error([open], .token) == nil)
        let long = String(repeating: "a", count: 108)
        #expect(error([.unix(path: long)], .token) == .pathTooLong(path: long, bytes: 108))
        guard case .badCertificate = error([local], .token, tls: TLSFiles(certificate: "/nope", key: "/nope")) else {
            Issue.record("a certificate that is not there was accepted")
            return
        }
    }

    @Test(arguments: [
        ("GARBAGE\r\n\r\n", "400"), ("GET / HTTP/2.0\r\n\r\n", "400"), ("\u{16}\u{3}\u{1}\u{2}\u{0}\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\n\r\n", "400"), ("GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421"),
        ("GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + String(repeating: "a", count: 40_000) + "\r\n\r\n", "431"),
        ("GET /" + String(repeating: "a", count: 100_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", "431"),
        ("GET /" + String(repeating: "a", count: 10_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", "414"),
        (
            "POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n",
            "413"
        ),
        ("POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", "400"),
        ("POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"),
        ("GE\u{e9}T / HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"),
    ])
    func answersBadBytesWithAProblemAndEnds(bytes: String, status: String) async throws {
        try await ServerFixture.run { server in
            let client = try await RawClient(port: server.port)
            try? await client.send(bytes)
            // Whatever the problem is, the server takes no further request on this connection, or the client ends it.
            let head = try await client.receive(until: "\r\n\r\n")
            #expect(head.hasPrefix("HTTP/1.1 \(status) "), "\(head)")
            #expect(head.lowercased().contains("application/problem+json"))
            if !["421", "414"].contains(status), !bytes.hasPrefix("GET /healthz HTTP/1.1\r\n") || status == "431" {
                #expect(head.lowercased().contains("connection: close"))
                _ = try await client.receiveAll()
            }
        }
    }

    @Test func garbageAfterARequestDoesNotHang() async throws {
        try await ServerFixture.run { server in
            let client = try await RawClient(port: server.port)
            try await client.send(get("/healthz") + "\u{0}\u{1}garbage\r\n\r\n\r\n")
            let all = try await client.receiveAll()
            #expect(all.hasPrefix("HTTP/1.1 200") && all.contains(#"{"status":"ok"}"#))
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await ServerFixture.run { server in
            let client = try await RawClient(port: server.port)
            try await client.send(get("/healthz") + get("/v1/nothing") + get("/healthz", ["Connection: close"]))
            let statuses = try await client.receiveAll().split(separator: "HTTP/1.1 ").dropFirst(0).map { $0.prefix(3) }
            #expect(statuses == ["200", "404", "200"])
        }
    }

    @Test func aStreamedBodyBeyondTheLimitIsRefused() async throws {
        try await ServerFixture.run { server in
            let client = try await RawClient(port: server.port)
            try await client.send(
                "POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n")
            let chunk = "10000\r\n" + String(repeating: " ", count: 65536) + "\r\n"
            for _ in 0..<20 { try? await client.send(chunk) }
            let head = try await client.receive(until: "\r\n\r\n")
            #expect(head.hasPrefix("HTTP/1.1 413"))
        }
    }

    @Test func slowClientsAreCutOffAndHoldUpNobody() async throws {
        var timeouts = ConnectionTimeouts()
        timeouts.firstHead = .seconds(2)
        timeouts.request = .seconds(2)
        try await ServerFixture.run(timeouts: timeouts) { server in
            var slow: [RawClient] = []
            for index in 0..<20 {
                let client = try await RawClient(port: server.port)
                try await client.send(
                    index % 2 == 0
                        ? "GET / HTTP/1.1\r\nX: "
                        : "POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                            + "Content-Length: 10\r\n\r\n{")
                slow.append(client)
            }
            let client = try await RawClient(port: server.port)
            try await client.send(get("/healthz", ["Connection: close"]))
            #expect(try await client.receiveAll().hasPrefix("HTTP/1.1 200"))
            for client in slow { _ = try await client.receiveAll() }
        }
    }

    @Test func anUpgradeToSomethingElseIsAnOrdinaryRequest() async throws {
        try await ServerFixture.run { server in
            let client = try await RawClient(port: server.port)
            try await client.send(
                get("/healthz", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQ"]))
            let answer = try await client.receiveAll()
            #expect(answer.hasPrefix("HTTP/1.1 200"), "and the connection ends, because its decoder has")
        }
    }

    @Test func eventsStreamWithIdsAndReplay() async throws {
        try await ServerFixture.run { server in
            let id = await server.sessions.add()
            func event(_ seq: UInt64) -> SessionEvent {
                SessionEvent(
                    seq: seq, time: Date(timeIntervalSince1970: 0), sessionID: id, incarnation: 1,
                    type: .inputAccepted, data: ["camelKey": "a\nb"])
            }
            await server.sessions.emit(event(1))
            await server.sessions.emit(event(2))
            let client = try await RawClient(port: server.port)
            try await client.send(get("/v1/sessions/\(id)/events?since=0", ["Last-Event-ID: 1"]))
            let head = try await client.receive(until: "retry: 3000\n\n")
            #expect(head.contains("text/event-stream"))
            // A keep-alive comment may come in between at any time.
            let replayed = try await client.receive(until: "\"}\n\n")
            #expect(replayed.contains("id: 2\nevent: input.accepted\ndata: {"))
            #expect(replayed.contains(#""data":{"camelKey":"a\nb"}"#) && replayed.contains(#""session_id":"\#(id)""#))
            await server.sessions.emit(event(3))
            #expect(try await client.receive(until: "\"}\n\n").contains("id: 3\n"))
            #expect(await server.sessions.lastSince == 1)
            await server.sessions.endEvents()
            _ = try await client.receive(until: "0\r\n\r\n")
        }
    }

    @Test func aQuietStreamIsKeptAliveWithComments() async throws {
        let (events, source) = AsyncStream<SessionEvent>.makeStream()
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let stream = ServerSentEvents(events: events, channel: channel, interval: .milliseconds(20))
        let collected = CollectingWriter()
        let writing = Task {
            var writer: any ResponseBodyWriter = collected
            try await stream.write(to: &writer)
        }
        for _ in 0..<500 where !collected.text.contains(": quiet\n\n: quiet\n\n") {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(collected.text.contains(": quiet\n\n: quiet\n\n"))
        source.finish()
        try await writing.value
        try await channel.close().get()
    }

    @Test func shutsDownWithinFiveSecondsWhateverIsOpen() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let worker = try await StandInWorker(directory.path + "/w")
        let started = try await ServerFixture.run { server -> (ContinuousClock.Instant, [RawClient]) in
            let id = await server.sessions.add()
            await server.sessions.setSocket(worker.path)
            let stream = try await RawClient(port: server.port)
            try await stream.send(get("/v1/sessions/\(id)/events"))
            _ = try await stream.receive(until: "retry: 3000\n\n")
            let socket = try await RawClient(port: server.port)
            _ = try await socket.upgrade("/v1/sessions/\(id)/terminal")
            _ = try await socket.receiveText()
            let door = try await RawClient(port: server.port)
            _ = try await door.upgrade("/ws/\(SessionID())")
            let half = try await RawClient(port: server.port)
            try await half.send("POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n")
            let idle = try await RawClient(port: server.port)
            return (.now, [stream, socket, door, half, idle])
        }
        #expect(ContinuousClock.now - started.0 < .seconds(8))
        for client in started.1 { _ = try await client.receiveAll() }
        await worker.stop()
    }
}
