import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import WorkerControl

/// Passes a client's socket itself to the session's worker (``HandOverOffer``). The client then has nothing to do with
/// this process any more. All on the client's event loop.
enum HandOver {
    /// For the worker's answer. The client waits meanwhile, and is told when there is none.
    static let patience: TimeAmount = .seconds(5)

    /// There is no socket to pass, or nobody to take it: the client can be relayed.
    struct Impossible: Error {
        var reason: String
    }

    /// The worker does not want the client.
    struct Refused: Error {
        var status: Int
        var detail: String
    }

    /// The worker went away in between. The client is still here.
    struct Lost: Error {
        var reason: String
    }

    /// Ends when the worker has the client and this process has it no more, or throws ``Impossible``, ``Refused``,
    /// ``Lost`` with the client as it was.
    ///
    /// - Parameters:
    ///   - early: what was read from the client; nothing may be read from now on.
    ///   - isUntouched: asked in the end; false when something was read nevertheless.
    static func pass(
        _ client: any Channel, _ offer: HandOverOffer, early: ByteBuffer, to path: String,
        isUntouched: @escaping () -> Bool
    ) -> EventLoopFuture<Void> {
        let loop = client.eventLoop
        do {
            var offer = offer
            offer.early = early.readableBytes
            let connection = try open(path, with: offer, of: client)
            let promise = loop.makePromise(of: Void.self)
            let conversation = Conversation(client, early: early, done: promise, isUntouched: isUntouched)
            let bound = NIOLoopBound(conversation, eventLoop: loop)
            ClientBootstrap(group: loop)
                .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: HandOverWord.largest))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(bound.value)
                    }
                }
                .withConnectedSocket(connection)
                .whenFailure { promise.fail(Lost(reason: "\($0)")) }
            return promise.futureResult
        } catch {
            return loop.makeFailedFuture(error)
        }
    }

    /// The offer with the client's socket. Non-blocking: it fits into an empty queue.
    private static func open(_ path: String, with offer: HandOverOffer, of client: any Channel) throws -> Int32 {
        let pipeline = client.pipeline.syncOperations
        if (try? pipeline.handler(type: NIOSSLServerHandler.self)) != nil { throw Impossible(reason: "TLS ends here") }
        guard offer.early <= HandOverOffer.mostEarly else { throw Impossible(reason: "too much was read already") }
        // What still waits to be written here would be lost.
        guard client.isActive, try client.syncOptions?.getOption(.bufferedWritableBytes) == 0 else {
            throw Impossible(reason: "the client has not read what it was sent")
        }
        guard let message = try offer.encoded() else { throw Impossible(reason: "the request is too large") }
        do {
            let connection = try HandOverConnection.open(path)
            do {
                let sent: Void? = try pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
                    try HandOverConnection.send(message, with: $0, over: connection)
                }
                guard sent != nil else { throw Impossible(reason: "the connection has no socket") }
                return connection
            } catch {
                close(connection)
                throw error
            }
        } catch let error as HandOverFailure {
            throw Impossible(reason: error.description)
        }
    }
}

/// The supervisor's side of one hand-over, from the offer on.
private final class Conversation: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let client: any Channel
    private var early: ByteBuffer
    private let done: EventLoopPromise<Void>
    private let isUntouched: () -> Bool
    private var deadline: Scheduled<Void>?

    init(
        _ client: any Channel, early: ByteBuffer, done: EventLoopPromise<Void>, isUntouched: @escaping () -> Bool
    ) {
        self.client = client
        self.early = early
        self.done = done
        self.isUntouched = isUntouched
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        let done = done
        deadline = context.eventLoop.scheduleTask(in: HandOver.patience) {
            done.fail(HandOver.Lost(reason: "the worker does not answer"))
            channel.close(promise: nil)
        }
        sendEarly(context)
        context.fireChannelActive()
    }

    /// One piece after the other: two that wait could be written as one message.
    private func sendEarly(_ context: ChannelHandlerContext) {
        let length = min(early.readableBytes, HandOverOffer.piece)
        guard length > 0, let piece = early.readSlice(length: length) else { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(piece)).whenSuccess {
            let (conversation, context) = bound.value
            conversation.sendEarly(context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch HandOverWord(parsing: unwrapInboundIn(data).readableBytesView) {
        case .taken: letGo(context)
        case .refused(let status, let detail):
            done.fail(HandOver.Refused(status: status, detail: detail))
            context.close(promise: nil)
        case .yours, nil:
            done.fail(HandOver.Lost(reason: "the worker said something else"))
            context.close(promise: nil)
        }
    }

    /// The worker has its copy: closes ours, which leaves the connection alone, and only then tells it to go on.
    private func letGo(_ context: ChannelHandlerContext) {
        guard client.isActive, isUntouched() else {
            done.fail(HandOver.Lost(reason: "the client is gone"))
            return context.close(promise: nil)
        }
        client.close(promise: nil)
        done.succeed()
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: HandOverWord.yours.text))).whenComplete { _ in
            channel.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        done.fail(HandOver.Lost(reason: "the worker closed the connection"))
        context.fireChannelInactive()
    }
}
