import NIOCore
import NIOHTTP1
import NIOPosix

/// A complete WebSocket upgrade request whose connection is held: nothing is read until one of these is called, once.
struct PendingUpgrade: Sendable {
    let head: HTTPRequestHead
    let channel: any Channel
    /// Touched on the channel's event loop only.
    private let gate: NIOLoopBound<UpgradeGate>

    init(head: HTTPRequestHead, channel: any Channel, gate: UpgradeGate) {
        self.head = head
        self.channel = channel
        self.gate = NIOLoopBound(gate, eventLoop: channel.eventLoop)
    }

    /// Answers with a problem and ends the connection.
    func refuse(_ problem: Problem) {
        channel.eventLoop.execute {
            guard let context = try? channel.pipeline.syncOperations.context(handler: gate.value) else { return }
            gate.value.refuse(context, problem)
        }
    }

    /// Joins the client to a worker: sends it `request`, then every byte either way, as it is. The worker answers the
    /// handshake. Throws, with the client untouched, when the worker's socket takes no connection.
    func relay(to socket: String, request: ByteBuffer) async throws {
        try await channel.eventLoop.flatSubmit {
            let (inner, outer) = Glue.pair()
            let innerBound = NIOLoopBound(inner, eventLoop: channel.eventLoop)
            let outerBound = NIOLoopBound(outer, eventLoop: channel.eventLoop)
            return WorkerConnection.open(socket, on: channel.eventLoop) { worker in
                try worker.pipeline.syncOperations.addHandler(innerBound.value)
            }.flatMapThrowing { worker in
                worker.writeAndFlush(request, promise: nil)
                do {
                    try take(over: outerBound.value)
                } catch {
                    worker.close(promise: nil)
                    throw error
                }
            }
        }.get()
    }

    /// Answers the handshake itself and gives the connection to `handler`.
    func accept(_ response: HTTPResponseHead, handler: @escaping @Sendable () -> Doorway) async throws {
        try await channel.eventLoop.submit {
            let gate = gate.value
            guard let context = try? channel.pipeline.syncOperations.context(handler: gate) else {
                throw ChannelError.alreadyClosed
            }
            context.write(NIOAny(HTTPServerResponsePart.head(response)), promise: nil)
            context.writeAndFlush(NIOAny(HTTPServerResponsePart.end(nil)), promise: nil)
            try take(over: handler())
        }.get()
    }

    /// Puts a handler of raw bytes in the place of HTTP. Bytes that came after the request reach it first.
    private func take(over handler: any ChannelHandler) throws {
        let pipeline = channel.pipeline.syncOperations
        let gate = gate.value
        // Throws when the client is gone.
        _ = try pipeline.context(handler: gate)
        // Hummingbird allows half-closed connections; a relay would never see the client's end.
        try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
        try pipeline.addHandler(handler)
        pipeline.removeHandler(gate, promise: nil)
        pipeline.removeHandler(gate.encoder, promise: nil)
        // The decoder passes on its leftovers as it goes, without the event that makes the relay flush them.
        let removed = channel.eventLoop.makePromise(of: Void.self)
        removed.futureResult.whenSuccess { channel.pipeline.fireChannelReadComplete() }
        pipeline.removeHandler(gate.decoder, promise: removed)
        channel.read()
    }
}

/// A connection to a worker's client socket.
enum WorkerConnection {
    static let patience: TimeAmount = .seconds(5)

    static func open(
        _ socket: String, on loop: any EventLoop, initialize: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: loop)
            .connectTimeout(patience)
            .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try initialize(channel) } }
            .connect(unixDomainSocketPath: socket)
    }
}
