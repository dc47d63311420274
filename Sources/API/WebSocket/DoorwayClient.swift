import NIOCore
import WorkerControl

/// A client at the door, as async code sees it.
struct DoorwayClient: Sendable {
    let channel: any Channel
    private let door: NIOLoopBoundBox<Doorway?>

    init(_ upgrade: PendingUpgrade, largest: Int = FirstMessageReader.largest) async throws {
        channel = upgrade.channel
        let door = NIOLoopBoundBox<Doorway?>.makeEmptyBox(valueType: Doorway.self, eventLoop: channel.eventLoop)
        self.door = door
        try await upgrade.accept(Handshake.response(to: upgrade.head)) {
            let doorway = Doorway(largest: largest)
            door.value = doorway
            return doorway
        }
    }

    private func withDoor<Value: Sendable>(
        _ body: @escaping @Sendable (Doorway, ChannelHandlerContext) throws -> EventLoopFuture<Value>
    ) async throws -> Value {
        try await channel.eventLoop.flatSubmit {
            do {
                guard let doorway = door.value else { throw Doorway.Gone() }
                return try body(doorway, try channel.pipeline.syncOperations.context(handler: doorway))
            } catch {
                return channel.eventLoop.makeFailedFuture(error)
            }
        }.get()
    }

    func next(within patience: TimeAmount) async throws -> Doorway.Message {
        try await withDoor { door, context in door.next(within: patience, context: context) }
    }

    func send(_ text: String) async throws {
        try await withDoor { _, context in
            context.writeAndFlush(NIOAny(ServerFrame.text(text)))
        }
    }

    func ping() async throws {
        try await withDoor { _, context in
            context.writeAndFlush(NIOAny(ServerFrame.ping()))
        }
    }

    func close(_ code: UInt16, _ reason: String) async {
        try? await withDoor { door, context in
            door.end(context, code, reason)
            return context.eventLoop.makeSucceededVoidFuture()
        }
    }

    /// Gives the client's socket to the worker that listens at `path`, with the message that was read here and what came
    /// after it. Throws as ``HandOver/pass(_:_:early:to:isUntouched:)`` does, with the client still here.
    func handOver(_ offer: HandOverOffer, to path: String, first: ByteBuffer) async throws {
        try await withDoor { door, _ in
            var early = first
            let rest = door.rest
            early.writeImmutableBuffer(rest)
            return HandOver.pass(channel, offer, early: early, to: path) {
                !door.over && door.rest.readableBytes == rest.readableBytes
            }
        }
    }

    /// Joins the client to a worker: the handshake again on the worker's side, whose 101 is swallowed, then the message
    /// that was read here, then every byte either way. Throws, with the client still here, when the worker refuses.
    func join(worker socket: String, request: ByteBuffer, first: ByteBuffer) async throws {
        try await withDoor { door, _ in
            let loop = channel.eventLoop
            let greeted = loop.makePromise(of: Void.self)
            let (inner, outer) = Glue.pair()
            let glue = NIOLoopBound((inner, outer), eventLoop: loop)
            let boundDoor = NIOLoopBound(door, eventLoop: loop)
            let opened = RelayConnection.open(socket, on: loop) { worker in
                try worker.pipeline.syncOperations.addHandlers([WorkerGreeting(greeted), glue.value.0])
            }
            opened.cascadeFailure(to: greeted)
            opened.whenSuccess { worker in worker.writeAndFlush(request, promise: nil) }
            // Runs inside the greeting's channelRead, before it passes on what came after the 101.
            return greeted.futureResult.and(opened).flatMapThrowing { _, worker in
                let door = boundDoor.value
                do {
                    let pipeline = channel.pipeline.syncOperations
                    _ = try pipeline.context(handler: door)
                    var bytes = first
                    bytes.writeImmutableBuffer(door.giveUp())
                    worker.writeAndFlush(bytes, promise: nil)
                    try pipeline.addHandler(glue.value.1)
                    pipeline.removeHandler(door, promise: nil)
                    channel.read()
                } catch {
                    worker.close(promise: nil)
                    throw error
                }
            }
        }
    }
}

/// Takes a worker's answer to the handshake off its stream, then steps aside.
final class WorkerGreeting: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    static let largest = 16 * 1024
    static let patience: TimeAmount = .seconds(10)

    /// The worker did not switch protocols; its status line.
    struct Refused: Error, CustomStringConvertible {
        var description: String
    }

    private let greeted: EventLoopPromise<Void>
    private var bytes = ByteBuffer()
    private var deadline: Scheduled<Void>?

    init(_ greeted: EventLoopPromise<Void>) { self.greeted = greeted }

    func handlerAdded(context: ChannelHandlerContext) {
        let greeted = greeted
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: Self.patience) {
            greeted.fail(Refused(description: "the worker did not answer the handshake"))
            channel.close(promise: nil)
        }
        // The glue withholds reads until the client's side is there, which waits for this greeting.
        if context.channel.isActive { context.read() }
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        context.read()
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes.writeImmutableBuffer(unwrapInboundIn(data))
        let view = bytes.readableBytesView
        guard let end = view.firstRange(of: Array("\r\n\r\n".utf8)) else {
            if bytes.readableBytes > Self.largest { fail(context, "the worker's answer is too long") }
            return
        }
        guard view.starts(with: Array("HTTP/1.1 101 ".utf8)) else {
            let line = view.prefix { $0 != 0x0d }.prefix(100)
            return fail(context, "the worker answered '\(String(decoding: line, as: UTF8.self))'")
        }
        bytes.moveReaderIndex(to: end.upperBound)
        greeted.succeed()
        if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        context.read()
    }

    private func fail(_ context: ChannelHandlerContext, _ reason: String) {
        greeted.fail(Refused(description: reason))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        greeted.fail(Refused(description: "the worker closed the connection"))
        context.fireChannelInactive()
    }
}
