import NIOCore
import NIOExtras

/// The client's end of a connection at the door: reads one message at a time, only while somebody waits for one,
/// and then makes way for the relay. On its event loop only; ``DoorwayClient`` is its face to async code.
final class Doorway: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A client's message, and the bytes it came in.
    enum Message: Sendable {
        case text(String, raw: ByteBuffer)
        case binary(raw: ByteBuffer)

        var raw: ByteBuffer {
            switch self {
            case .text(_, let raw), .binary(let raw): raw
            }
        }
    }

    /// The client left, or was told to.
    struct Gone: Error {}

    private var reader: FirstMessageReader
    private var waiter: EventLoopPromise<Message>?
    private var readWithheld = false
    private var deadline: Scheduled<Void>?
    private(set) var over = false

    /// - Parameter largest: bytes of one message.
    init(largest: Int = FirstMessageReader.largest) { reader = FirstMessageReader(limit: largest) }

    func next(within patience: TimeAmount, context: ChannelHandlerContext) -> EventLoopFuture<Message> {
        let promise = context.eventLoop.makePromise(of: Message.self)
        guard !over, waiter == nil else {
            promise.fail(Gone())
            return promise.futureResult
        }
        waiter = promise
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: patience) {
            let (door, context) = bound.value
            door.end(context, 1008, "no message in time")
        }
        deliver(context)
        if waiter != nil, readWithheld {
            readWithheld = false
            context.read()
        }
        return promise.futureResult
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        reader.feed(unwrapInboundIn(data))
        deliver(context)
    }

    private func deliver(_ context: ChannelHandlerContext) {
        do {
            while let promise = waiter, !over, let item = try reader.next() {
                switch item {
                case .ping(let payload): context.writeAndFlush(wrapOutboundOut(ServerFrame.pong(payload)), promise: nil)
                case .close(let code): end(context, code, "")
                case .text(let text, let raw): hand(.text(text, raw: raw), to: promise)
                case .binary(let raw): hand(.binary(raw: raw), to: promise)
                }
            }
        } catch {
            end(context, error.code, error.reason)
        }
    }

    private func hand(_ message: Message, to promise: EventLoopPromise<Message>) {
        waiter = nil
        deadline?.cancel()
        promise.succeed(message)
    }

    func end(_ context: ChannelHandlerContext, _ code: UInt16, _ reason: String) {
        guard !over else { return }
        over = true
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ServerFrame.close(code, reason))).whenComplete { _ in
            channel.close(promise: nil)
        }
        context.eventLoop.scheduleTask(in: Glue.patience) { channel.close(promise: nil) }
        leave()
    }

    private func leave() {
        deadline?.cancel()
        waiter?.fail(Gone())
        waiter = nil
    }

    /// What was read and not handed out.
    var rest: ByteBuffer { reader.rest }

    /// The same; nothing is read after this.
    func giveUp() -> ByteBuffer {
        over = true
        leave()
        return reader.rest
    }

    func read(context: ChannelHandlerContext) {
        if waiter != nil { context.read() } else { readWithheld = true }
    }

    func channelInactive(context: ChannelHandlerContext) {
        over = true
        leave()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            end(context, 1001, "the server is stopping")
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
