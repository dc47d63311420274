import NIOCore

/// Stands where the HTTP decoder stood: keeps what came behind an upgrade request until it is known where it goes.
final class HeldBytes: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private(set) var bytes = ByteBuffer()
    private var drops = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Not a slice of what is still to be parsed: few bytes, and none at all as a rule.
        if !drops { bytes.writeImmutableBuffer(unwrapInboundIn(data)) }
    }

    /// Passes on what was kept and makes way.
    func release(_ context: ChannelHandlerContext) {
        if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
        context.fireChannelReadComplete()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    /// The client was refused: whatever else it sends goes nowhere.
    func drop() {
        drops = true
        bytes = ByteBuffer()
    }
}
