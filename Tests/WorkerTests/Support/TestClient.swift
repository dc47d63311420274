import Dialects
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import SessionCore
import Synchronization
import WorkerControl

/// How a client comes to its worker.
enum Way: String, CaseIterable, Sendable {
    /// As bytes on the worker's client socket.
    case relayed
    /// As a socket of its own.
    case handedOver
}

/// A WebSocket client of a worker, which remembers everything it was sent.
final class TestClient: Sendable {
    struct Received: Sendable {
        var binary: [UInt8] = []
        var texts: [JSONValue] = []
        var closeCode: UInt16?
        var closeReason: String?
        var isClosed = false
        var pongs = 0

        var screen: String { String(decoding: binary, as: UTF8.self) }
    }

    private let channel: any Channel
    private let state: StateBox

    final class StateBox: Sendable {
        let received = Mutex(Received())
    }

    private init(channel: any Channel, state: StateBox) {
        self.channel = channel
        self.state = state
    }

    static func connect(
        to fixture: WorkerFixture, over way: Way = .relayed, path: String = "/terminal", access: ClientAccess = .drive,
        principal: String = "alice", credential: ClientCredential? = nil
    ) async throws -> TestClient {
        let relayed = RelayedClient(principal: principal, access: access, credential: credential)
        switch way {
        case .relayed: return try await connect(to: fixture, path: path, as: relayed)
        case .handedOver:
            let passed = try await PassedSocket(
                HandOverOffer(target: path, client: relayed, greeting: nil), to: fixture.handOverSocket)
            return try await connect(to: fixture, over: passed.finish())
        }
    }

    /// Goes on over a connection whose other end a worker has.
    static func connect(to fixture: WorkerFixture, over descriptor: Int32) async throws -> TestClient {
        let state = StateBox()
        let channel = try await ClientBootstrap(group: fixture.group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        WebSocketFrameEncoder(), ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: 1 << 24)),
                        Collector(state))
                }
            }
            .withConnectedSocket(descriptor).get()
        return TestClient(channel: channel, state: state)
    }

    private static func connect(
        to fixture: WorkerFixture, path: String, as client: RelayedClient
    ) async throws -> TestClient {
        let state = StateBox()
        let relayed = try JSONEncoder.rookery.encode(client)
        let upgraded = fixture.group.next().makePromise(of: Void.self)
        let channel = try await ClientBootstrap(group: fixture.group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let upgrader = NIOWebSocketClientUpgrader(maxFrameSize: 1 << 24) { channel, _ in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(Collector(state))
                            upgraded.succeed()
                        }
                    }
                    let failure = UpgradeFailure(upgraded)
                    let bound = NIOLoopBound(failure, eventLoop: channel.eventLoop)
                    // The worker may show the screen in the same piece as its 101.
                    try channel.pipeline.syncOperations.addHTTPClientHandlers(
                        leftOverBytesStrategy: .forwardBytes,
                        withClientUpgrade: (
                            upgraders: [upgrader],
                            completionHandler: { context in
                                context.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
                            }
                        ))
                    try channel.pipeline.syncOperations.addHandler(failure)
                }
            }
            .connect(unixDomainSocketPath: fixture.clientSocket).get()
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path)
        head.headers.add(name: "host", value: "worker")
        head.headers.add(name: RelayedClient.header, value: String(decoding: relayed, as: UTF8.self))
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        let timeout = channel.eventLoop.scheduleTask(in: .seconds(20)) {
            upgraded.fail(TimedOut(description: "no upgrade"))
        }
        try await upgraded.futureResult.get()
        timeout.cancel()
        return TestClient(channel: channel, state: state)
    }

    /// Connects and says hello.
    static func attach(
        to fixture: WorkerFixture, over way: Way = .relayed, since: UInt64? = nil, size: TerminalSize = .standard,
        mode: String = "drive", access: ClientAccess = .drive, principal: String = "alice",
        credential: ClientCredential? = nil
    ) async throws -> TestClient {
        let client = try await connect(
            to: fixture, over: way, access: access, principal: principal, credential: credential)
        let seq = since.map { #","since":\#($0)"# } ?? ""
        client.send(text: #"{"type":"hello","cols":\#(size.cols),"rows":\#(size.rows),"mode":"\#(mode)"\#(seq)}"#)
        try await client.message("driver")
        return client
    }

    var received: Received { state.received.withLock { $0 } }

    /// The first text message of this type, once it is there.
    @discardableResult
    func message(
        _ type: String, where matches: (JSONValue) -> Bool = { _ in true }
    ) async throws -> JSONValue {
        try await eventually("a '\(type)' message; there are \(received.texts.map { $0["type"]?.string ?? "?" })") {
            received.texts.first { $0["type"]?.string == type && matches($0) }
        }
    }

    func shows(_ text: String) async throws {
        try await eventually("'\(text)' on the terminal; there is '\(received.screen.suffix(400))'") {
            received.screen.contains(text)
        }
    }

    /// What the newest snapshot paints.
    var snapshot: String? {
        received.texts.last { $0["type"] == "snapshot" }?["data"]?.string
            .flatMap { Data(base64Encoded: $0) }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Bytes as they are, past the framing.
    func send(raw: [UInt8]) async throws {
        try await channel.eventLoop.flatSubmit { [channel] in
            do {
                return try channel.pipeline.syncOperations.context(handlerType: WebSocketFrameEncoder.self)
                    .writeAndFlush(NIOAny(ByteBuffer(bytes: raw)))
            } catch { return channel.eventLoop.makeFailedFuture(error) }
        }.get()
    }

    func send(text: String) { send(.text, ByteBuffer(string: text)) }
    func send(keys: String) { send(.binary, ByteBuffer(string: keys)) }

    func send(_ opcode: WebSocketOpcode, _ data: ByteBuffer, fin: Bool = true) {
        channel.writeAndFlush(
            WebSocketFrame(fin: fin, opcode: opcode, maskKey: .random(), data: data), promise: nil)
    }

    func read(_ reads: Bool) async throws {
        try await channel.setOption(.autoRead, value: reads).get()
    }

    func close() async { try? await channel.close().get() }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = WebSocketFrame
        let state: StateBox
        init(_ state: StateBox) { self.state = state }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let frame = unwrapInboundIn(data)
            state.received.withLock { received in
                switch frame.opcode {
                case .binary: received.binary.append(contentsOf: frame.data.readableBytesView)
                case .text:
                    let value = try? JSONDecoder().decode(JSONValue.self, from: Data(frame.data.readableBytesView))
                    received.texts.append(value ?? .null)
                case .connectionClose:
                    var data = frame.data
                    received.closeCode = data.readInteger()
                    received.closeReason = String(buffer: data)
                case .pong: received.pongs += 1
                default: break
                }
            }
        }

        func channelInactive(context: ChannelHandlerContext) { state.received.withLock { $0.isClosed = true } }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private final class UpgradeFailure: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPClientResponsePart
        let promise: EventLoopPromise<Void>
        init(_ promise: EventLoopPromise<Void>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(let head) = unwrapInboundIn(data) else { return }
            promise.fail(TimedOut(description: "the worker answered \(head.status)"))
        }

        func channelInactive(context: ChannelHandlerContext) {
            promise.fail(TimedOut(description: "the worker closed the connection"))
        }
    }
}
