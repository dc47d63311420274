import NIOCore
import NIOHTTP1
import NIOPosix
import WorkerControl

/// A complete WebSocket upgrade request whose connection is held: nothing is read until one of these has succeeded, once.
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

    /// Gives the client's socket to the worker that listens at `path`. Throws as ``HandOver/pass(_:_:early:to:isUntouched:)``
    /// does, with the client untouched.
    func handOver(_ offer: HandOverOffer, to path: String) async throws {
        try await channel.eventLoop.flatSubmit {
            gate.value.hold(channel).flatMap {
                let held = gate.value.held
                let early = held?.bytes ?? ByteBuffer()
                return HandOver.pass(channel, offer, early: early, to: path) {
                    held?.bytes.readableBytes == early.readableBytes
                }
            }
        }.get()
    }

    /// Joins the client to a worker: sends it `request`, then every byte either way, as it is. The worker answers the
    /// handshake. Throws, with the client untouched, when the worker's socket takes no connection.
    func relay(to socket: String, request: ByteBuffer) async throws {
        try await channel.eventLoop.flatSubmit {
            let (inner, outer) = Glue.pair()
            let innerBound = NIOLoopBound(inner, eventLoop: channel.eventLoop)
            let outerBound = NIOLoopBound(outer, eventLoop: channel.eventLoop)
            return RelayConnection.open(socket, on: channel.eventLoop) { worker in
                try worker.pipeline.syncOperations.addHandler(innerBound.value)
            }.flatMap { worker in
                gate.value.hold(channel).flatMapThrowing {
                    try take(over: outerBound.value) { worker.writeAndFlush(request, promise: nil) }
                }.flatMapErrorThrowing { error in
                    worker.close(promise: nil)
                    throw error
                }
            }
        }.get()
    }

    /// Answers the handshake itself and gives the connection to `handler`.
    func accept(_ response: HTTPResponseHead, handler: @escaping @Sendable () -> Doorway) async throws {
        try await channel.eventLoop.flatSubmit {
            gate.value.hold(channel).flatMapThrowing {
                let context = try channel.pipeline.syncOperations.context(handler: gate.value)
                context.write(NIOAny(HTTPServerResponsePart.head(response)), promise: nil)
                context.writeAndFlush(NIOAny(HTTPServerResponsePart.end(nil)), promise: nil)
                try take(over: handler()) {}
            }
        }.get()
    }

    /// Puts a handler of raw bytes in the place of HTTP. Bytes that came after the request reach it first.
    /// - Parameter ready: called when nothing can fail any more and before those bytes flow.
    private func take(over handler: any ChannelHandler, ready: () -> Void) throws {
        let pipeline = channel.pipeline.syncOperations
        let gate = gate.value
        // Throws when the client is gone.
        _ = try pipeline.context(handler: gate)
        guard let held = gate.held else { throw ChannelError.inappropriateOperationForState }
        let context = try pipeline.context(handler: held)
        // Hummingbird allows half-closed connections; a relay would never see the client's end.
        try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
        try pipeline.addHandler(handler)
        pipeline.removeHandler(gate, promise: nil)
        pipeline.removeHandler(gate.encoder, promise: nil)
        ready()
        held.release(context)
        channel.read()
    }
}

/// A connection to a worker's client socket.
enum RelayConnection {
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
