import NIOCore
import NIOHTTP1
import NIOPosix

/// One connection to the gateway, request after request. Belongs to its event loop.
final class GatewayConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    let channel: any Channel
    /// What is being asked on it.
    var upstream: Upstream? {
        // Whoever went before may have left it unread.
        didSet { if upstream == nil { reads(true) } }
    }

    /// - Parameter channel: from ``connect(to:on:)``; to be called on its event loop.
    init(_ channel: any Channel) throws {
        self.channel = channel
        try channel.pipeline.syncOperations.addHandler(self)
    }

    static func connect(to path: String, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: loop)
            .connectTimeout(.seconds(5))
            .channelOption(.writeBufferWaterMark, value: .init(low: 64 * 1024, high: 256 * 1024))
            .channelOption(.maxMessagesPerRead, value: 4)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHTTPClientHandlers() }
            }
            .connect(unixDomainSocketPath: path)
    }

    func reads(_ reads: Bool) { try? channel.syncOptions?.setOption(.autoRead, value: reads) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // An answer to nothing: whatever comes next could not be told from it.
        guard let upstream else { return context.close(promise: nil) }
        upstream.received(unwrapInboundIn(data))
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        upstream?.writabilityChanged(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        upstream?.failed(ChannelError.eof)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        upstream?.failed(error)
        context.close(promise: nil)
    }
}
