import NIOCore
import NIOPosix

/// A connection of the sandbox to the proxy: from here on the gateway speaks with the tool, and bytes go both ways as they
/// come. Each side stops reading while the other does not take what was read; the end of one direction is passed on.
final class SandboxTunnel: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private weak var partner: SandboxTunnel?
    private var context: ChannelHandlerContext?
    private var hasEnded = false

    private init() {}

    /// Joins two channels of one event loop whose handlers pass bytes, and that read nothing yet.
    static func join(_ inside: any Channel, _ outside: any Channel) throws {
        let (near, far) = (SandboxTunnel(), SandboxTunnel())
        near.partner = far
        far.partner = near
        try inside.pipeline.syncOperations.addHandler(near)
        try outside.pipeline.syncOperations.addHandler(far)
        near.read(outside.isWritable)
        far.read(inside.isWritable)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let partner, let other = partner.context else { return }
        other.writeAndFlush(partner.wrapOutboundOut(unwrapInboundIn(data)), promise: nil)
        if !other.channel.isWritable { read(false) }
    }

    private func read(_ reads: Bool) { try? context?.channel.syncOptions?.setOption(.autoRead, value: reads) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        partner?.read(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event else { return context.fireUserInboundEventTriggered(event) }
        hasEnded = true
        guard let partner, let other = partner.context, !partner.hasEnded else { return finish(context) }
        // Closed at once, what still waits to be written would be lost.
        let channel = other.channel
        other.writeAndFlush(partner.wrapOutboundOut(ByteBuffer())).whenComplete { _ in
            channel.close(mode: .output, promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(context)
        context.fireChannelInactive()
    }

    /// Closes both; what was passed on is written first.
    private func finish(_ context: ChannelHandlerContext) {
        let own = context.channel
        guard let partner, let other = partner.context else { return own.close(promise: nil) }
        let channel = other.channel
        other.writeAndFlush(partner.wrapOutboundOut(ByteBuffer())).whenComplete { _ in
            channel.close(promise: nil)
            own.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
