import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import SessionCore
import Synchronization
import Testing
import WorkerControl

/// One HTTP/1.1 exchange over a plain connection, bytes in and bytes out.
enum RawHTTP {
    /// A whole request, after which the connection is to close.
    static func post(_ path: String, _ body: String, extra: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: \(body.utf8.count)\r\n\(extra)\r\n\(body)"
    }

    static func exchange(port: Int, _ request: String, on group: any EventLoopGroup) async throws -> String {
        try await exchange(
            ClientBootstrap(group: group), request,
            connect: { try await $0.connect(host: "127.0.0.1", port: port) { configure($0) } })
    }

    private static func configure(_ channel: any Channel) -> EventLoopFuture<NIOAsyncChannel<ByteBuffer, ByteBuffer>> {
        channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
    }

    private static func exchange(
        _ bootstrap: ClientBootstrap, _ request: String,
        connect: (ClientBootstrap) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer>
    ) async throws -> String {
        let channel = try await connect(bootstrap)
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: request))
            var text = ""
            for try await part in inbound { text += String(buffer: part) }
            return text
        }
    }
}

@Suite("The sandbox's listener", .timeLimit(.minutes(2)))
struct SandboxListenerTests {
    @Test("a hook's report becomes the session's activity and its events")
    func hook() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let connection = try await fixture.connect()
            let notices = NoticeLog(connection)
            _ = try await connection.send(.subscribe(since: 0))
            let client = try await TestClient.attach(to: fixture)
            let submit = #"{"hook_event_name":"UserPromptSubmit","prompt":"hi","prompt_id":"p1"}"#
            let answer = try await RawHTTP.exchange(
                port: fixture.listenerPort, RawHTTP.post("/hook/UserPromptSubmit", submit), on: fixture.group)
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            #expect(answer.hasSuffix("{}"))
            try await eventually("the activity") {
                notices.events.contains { $0.type == .sessionActivity && $0.data["activity"] == "working" }
            }
            try await client.message("state") { $0["activity"] == "working" }
            #expect(notices.events.contains { $0.type == .turnStarted && $0.data["prompt"] == "hi" })
        }
    }

    @Test(
        "what is no hook of ours is refused",
        arguments: [
            ("/hook/Nonsense", "{}", "404"), ("/hook/Stop", "not json", "400"),
            ("/hook/Stop", #"{"hook_event_name":"PreToolUse"}"#, "400"),
        ])
    func badHook(path: String, body: String, status: String) async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let answer = try await RawHTTP.exchange(
                port: fixture.listenerPort, RawHTTP.post(path, body), on: fixture.group)
            #expect(answer.hasPrefix("HTTP/1.1 \(status)"))
        }
    }

    @Test("what the model says by its MCP server's tools is an event before the model hears that it was sent")
    func channel() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let connection = try await fixture.connect()
            let notices = NoticeLog(connection)
            _ = try await connection.send(.subscribe(since: 0))
            func rpc(_ body: String) async throws -> String {
                try await RawHTTP.exchange(port: fixture.listenerPort, RawHTTP.post("/mcp", body), on: fixture.group)
            }
            let hello = try await rpc(
                #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}"#)
            #expect(hello.hasPrefix("HTTP/1.1 200"))
            #expect(hello.contains(#""protocolVersion":"2025-06-18""#), "\(hello)")
            let noted = try await rpc(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
            #expect(noted.hasPrefix("HTTP/1.1 202"), "\(noted)")
            let nobody = try await RawHTTP.exchange(
                port: fixture.listenerPort, "GET /mcp HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
                on: fixture.group)
            #expect(nobody.hasPrefix("HTTP/1.1 405"), "\(nobody)")

            // Whatever conversation it names, it is this session's people who hear it.
            let sent = try await rpc(
                #"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"reply","arguments":{"chat_id":"somebody else's","text":"hello"}}}"#
            )
            let event = try await eventually("the event") { notices.events.first { $0.type == .channelReply } }
            #expect(event.data["text"] == "hello")
            #expect(sent.contains("sent (id: \(String(format: "%016x", event.seq)))"), "\(sent)")
            let said = try await rpc(
                #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"fetch_messages","arguments":{"session_id":"x"}}}"#
            )
            #expect(said.contains("assistant: hello"), "\(said)")
        }
    }

    @Test("an endless hook and what is no HTTP are refused")
    func hostile() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let big =
                "POST /hook/Stop HTTP/1.1\r\nhost: x\r\ncontent-length: 2000000\r\n\r\n"
                + String(repeating: "x", count: 1_200_000)
            let answer = try await RawHTTP.exchange(port: fixture.listenerPort, big, on: fixture.group)
            #expect(answer.hasPrefix("HTTP/1.1 413"))
            let garbage = try await RawHTTP.exchange(
                port: fixture.listenerPort, "\u{0}\u{1}garbage\r\n\r\n", on: fixture.group)
            #expect(garbage.isEmpty || garbage.hasPrefix("HTTP/1.1 400"))
            let late = try await RawHTTP.exchange(
                port: fixture.listenerPort,
                "GET /hook/Stop HTTP/1.1\r\nhost: x\r\n\r\nCONNECT example.org:443 HTTP/1.1\r\nhost: x\r\n\r\n",
                on: fixture.group)
            #expect(!late.contains(" 200 "))
        }
    }

    @Test("a request waits for a gateway that is on its way back")
    func gatewayReturns() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            async let answer = RawHTTP.exchange(
                port: fixture.listenerPort, RawHTTP.post("/v1/messages", "waited"), on: fixture.group)
            try await Task.sleep(for: .seconds(1))
            let gateway = try await EchoGateway.start(fixture) { _ in }
            let text = try await answer
            #expect(text.hasPrefix("HTTP/1.1 200") && text.contains("waited"), "\(text)")
            try await gateway.close().get()
        }
    }

    @Test("where no gateway comes, the CLI is told to try again")
    func gatewayAbsent() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let answer = try await RawHTTP.exchange(
                port: fixture.listenerPort, RawHTTP.post("/v1/messages", "{}"), on: fixture.group)
            #expect(answer.hasPrefix("HTTP/1.1 529"))
            #expect(answer.contains("retry-after: 1"))
            #expect(answer.contains("overloaded_error"))
        }
    }

    @Test("requests go to the gateway with the session's name and nobody else's, and stream both ways")
    func forwarding() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let heads = Mutex<[HTTPRequestHead]>([])
            let gateway = try await EchoGateway.start(fixture) { head in heads.withLock { $0.append(head) } }
            let body = String(repeating: "0123456789", count: 300_000)
            let answer = try await RawHTTP.exchange(
                port: fixture.listenerPort,
                RawHTTP.post(
                    "/v1/messages?beta=true", body,
                    extra: "x-rookery-session: forged\r\nX-Rookery-Other: 1\r\nauthorization: Bearer t\r\n"),
                on: fixture.group)
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            #expect(answer.contains("x-from: gateway"))
            #expect(answer.filter { $0 == "9" }.count >= 300_000)
            let head = try #require(heads.withLock { $0.first })
            #expect(head.uri == "/v1/messages?beta=true")
            #expect(head.headers["x-rookery-session"] == [fixture.sessionID.description])
            #expect(!head.headers.contains(name: "x-rookery-other"))
            #expect(!head.headers.contains(name: "connection"))
            #expect(head.headers.first(name: "authorization") == "Bearer t")
            try await gateway.close().get()
        }
    }

    @Test("two requests on one connection, both answered in order")
    func keepAlive() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let gateway = try await EchoGateway.start(fixture) { _ in }
            let first = "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nfirst"
            let answer = try await RawHTTP.exchange(
                port: fixture.listenerPort, first + RawHTTP.post("/b", "second"), on: fixture.group)
            let order = [answer.range(of: "first"), answer.range(of: "second")].compactMap { $0?.lowerBound }
            #expect(order.count == 2 && order[0] < order[1])
            try await gateway.close().get()
        }
    }

    @Test("a connection to the gateway is used again until the gateway ends it")
    func gatewayConnectionsAreKept() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let connections = Counter()
            let gateway = try await EchoGateway.start(fixture) {
                connections.value.withLock { $0 += 1 }
            } onHead: { _ in
            }
            func ask(_ path: String) async throws {
                let answer = try await RawHTTP.exchange(
                    port: fixture.listenerPort, RawHTTP.post(path, "words of \(path)"), on: fixture.group)
                #expect(answer.contains("words of \(path)"))
            }
            for path in ["/a", "/b", EchoGateway.last] { try await ask(path) }
            #expect(connections.value.withLock { $0 } == 1)
            for path in ["/c", "/d"] { try await ask(path) }
            #expect(connections.value.withLock { $0 } == 2)
            // What has not been sent whole leaves its rest behind: nobody else gets that connection.
            let tcp = try await ClientBootstrap(group: fixture.group)
                .connect(host: "127.0.0.1", port: fixture.listenerPort).get()
            let half = "POST /half HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf"
            try await tcp.writeAndFlush(ByteBuffer(string: half))
            try await Task.sleep(for: .milliseconds(200))
            try await tcp.close().get()
            try await ask("/e")
            #expect(connections.value.withLock { $0 } == 3)
            try await gateway.close().get()
        }
    }
}

@Suite("What a tenant may send", .timeLimit(.minutes(2)))
struct HostileRequestTests {
    private static let requests: [String] = [
        "", "\r\n\r\n", "GET", "GET / HTTP/1.1\r\n", "GET / HTTP/9.9\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n", "HEAD /v1 HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
        "POST /v1 HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\nabc",
        "POST /hook/Stop HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n{}",
        "POST /v1 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "POST /v1 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nZZZ\r\n",
        "POST /v1 HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "POST /v1 HTTP/1.1\r\ncontent-length: 10\r\n\r\nabc",
        "POST /hook/Stop HTTP/1.1\r\ncontent-length: 10\r\n\r\nabc",
        "POST /hook/ HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}POST /hook/Stop HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}garbage",
        "GET /hook/Stop HTTP/1.1\r\n\r\nGET /x HTTP/1.1\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nbinary",
        "GET / HTTP/1.1\r\n" + String(repeating: "x-a: b\r\n", count: 20_000) + "\r\n",
        "GET /" + String(repeating: "a", count: 200_000) + " HTTP/1.1\r\n\r\n",
    ]

    @Test("nothing it sends to the listener or finds on the client socket ends the worker", arguments: [true, false])
    func survives(withGateway: Bool) async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let gateway = withGateway ? try await EchoGateway.start(fixture) { _ in } : nil
            for request in Self.requests {
                for half in [request, String(request.prefix(request.count / 2))] {
                    let bytes = ByteBuffer(string: half)
                    let tcp = try await ClientBootstrap(group: fixture.group)
                        .connect(host: "127.0.0.1", port: fixture.listenerPort).get()
                    try? await tcp.writeAndFlush(bytes)
                    let unix = try await ClientBootstrap(group: fixture.group)
                        .connect(unixDomainSocketPath: fixture.clientSocket).get()
                    try? await unix.writeAndFlush(bytes)
                    try await Task.sleep(for: .milliseconds(20))
                    try? await tcp.close().get()
                    try? await unix.close().get()
                }
            }
            let client = try await TestClient.attach(to: fixture)
            client.send(keys: "alive\r")
            try await client.shows("alive\r\nalive")
            try await gateway?.close().get()
        }
    }

    @Test("garbage on the control socket ends that connection alone")
    func control() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let connection = try await fixture.connect()
            for bytes: [UInt8] in [
                [0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 2, 0x7b, 0x7b], [0, 0, 0, 9, 1],
            ] {
                let channel = try await ClientBootstrap(group: fixture.group)
                    .connect(unixDomainSocketPath: fixture.controlSocket).get()
                try? await channel.writeAndFlush(ByteBuffer(bytes: bytes))
                try await Task.sleep(for: .milliseconds(50))
                try? await channel.close().get()
            }
            _ = try await connection.send(.status)
        }
    }

    @Test("when the CLI goes away, the gateway is told")
    func cancelled() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let open = Counter()
            let gateway = try await ServerBootstrap(group: fixture.group)
                .childChannelInitializer { channel in
                    open.value.withLock { $0 += 1 }
                    channel.closeFuture.whenComplete { _ in open.value.withLock { $0 -= 1 } }
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                .bind(unixDomainSocketPath: fixture.gatewaySocket).get()
            let tcp = try await ClientBootstrap(group: fixture.group)
                .connect(host: "127.0.0.1", port: fixture.listenerPort).get()
            try await tcp.writeAndFlush(ByteBuffer(string: "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n"))
            try await eventually("the request at the gateway") { open.value.withLock { $0 } == 1 }
            try await tcp.close().get()
            try await eventually("its end") { open.value.withLock { $0 } == 0 }
            try await gateway.close().get()
        }
    }
}

/// Stands for the gateway: sends every request's body back, piece by piece.
enum EchoGateway {
    /// What is asked of this path is the last on its connection.
    static let last = "/last"

    static func start(
        _ fixture: WorkerFixture, onConnection: @escaping @Sendable () -> Void = {},
        onHead: @escaping @Sendable (HTTPRequestHead) -> Void
    ) async throws -> any Channel {
        try await ServerBootstrap(group: fixture.group)
            .childChannelInitializer { channel in
                onConnection()
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(onHead))
                }
            }
            .bind(unixDomainSocketPath: fixture.gatewaySocket).get()
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        let onHead: @Sendable (HTTPRequestHead) -> Void
        init(_ onHead: @escaping @Sendable (HTTPRequestHead) -> Void) { self.onHead = onHead }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                onHead(head)
                var response = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["x-from": "gateway"])
                if head.uri == EchoGateway.last { response.headers.add(name: "connection", value: "close") }
                context.write(wrapOutboundOut(.head(response)), promise: nil)
            case .body(let bytes): context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
            case .end: context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}

private final class Counter: Sendable {
    let value = Mutex(0)
}
