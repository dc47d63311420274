import NIOCore

/// Keeps what a server says, and that it has ended, until somebody is there to hear it. Some speak first.
final class EarlyBytes: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private var bytes: [NIOAny] = []
    private var hasEnded = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { bytes.append(data) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event else { return context.fireUserInboundEventTriggered(event) }
        hasEnded = true
    }

    /// Has the handlers behind it hear all of it, in order. Call it on the channel's event loop.
    static func release(in channel: any Channel) {
        guard let context = try? channel.pipeline.syncOperations.context(handlerType: EarlyBytes.self),
            let early = context.handler as? EarlyBytes
        else { return }
        for bytes in early.bytes { context.fireChannelRead(bytes) }
        if early.hasEnded { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        channel.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}
