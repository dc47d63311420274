import NIOCore
import NIOSSL
import NIOTLS

/// TLS to a server on a tool's behalf: with the system's authorities, for the name that was asked for.
struct ServerTLS: Sendable {
    private let context: NIOSSLContext

    /// - Parameter roots: authorities in place of the system's, in PEM. For tests.
    init(roots: String? = nil) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = ["http/1.1"]
        if let roots { configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(roots.utf8))) }
        context = try NIOSSLContext(configuration: configuration)
    }

    /// Does the handshake on a connection that reads. Nothing of the server's is lost: it says nothing before it is asked.
    func start(on channel: any Channel, for host: String) -> EventLoopFuture<Void> {
        let done = channel.eventLoop.makePromise(of: Void.self)
        return channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandlers(
                NIOSSLClientHandler(context: context, serverHostname: host), HandshakeWatch(done: done))
        }.flatMapError { error in
            done.fail(error)
            return channel.eventLoop.makeFailedFuture(error)
        }.flatMap { done.futureResult }
    }
}

private final class HandshakeWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let done: EventLoopPromise<Void>

    init(done: EventLoopPromise<Void>) { self.done = done }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event {
            done.succeed()
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        done.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        done.fail(ChannelError.eof)
        context.fireChannelInactive()
    }
}
