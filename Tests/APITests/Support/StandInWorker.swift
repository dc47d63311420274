import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Synchronization

/// In a worker's place: a WebSocket server on a Unix socket that greets, and echoes every message.
final class StandInWorker: Sendable {
    let path: String
    private let server: any Channel
    private let heads: Heads

    private final class Heads: Sendable {
        let all = Mutex<[HTTPRequestHead]>([])
    }

    /// What the requests looked like that arrived.
    var requests: [HTTPRequestHead] { heads.all.withLock { $0 } }

    init(_ path: String, greeting: String? = "hello", refuses: Bool = false) async throws {
        self.path = path
        let heads = Heads()
        self.heads = heads
        server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                if refuses {
                    return channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Refusal())
                    }
                }
                let upgrader = NIOWebSocketServerUpgrader(
                    maxFrameSize: 1 << 21, automaticErrorHandling: true,
                    shouldUpgrade: { channel, head in
                        heads.all.withLock { $0.append(head) }
                        return channel.eventLoop.makeSucceededFuture(HTTPHeaders())
                    },
                    upgradePipelineHandler: { channel, _ in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(Echo(greeting: greeting))
                        }
                    })
                return channel.pipeline.configureHTTPServerPipeline(
                    withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
            }
            .bind(unixDomainSocketPath: path).get()
    }

    func stop() async { try? await server.close().get() }

    /// Answers whatever is asked with a 503.
    private final class Refusal: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let answer = ByteBuffer(string: "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
            context.writeAndFlush(NIOAny(answer), promise: nil)
        }
    }

    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = WebSocketFrame
        typealias OutboundOut = WebSocketFrame

        let greeting: String?
        init(greeting: String?) { self.greeting = greeting }

        func handlerAdded(context: ChannelHandlerContext) {
            guard let greeting else { return }
            let frame = WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: greeting))
            context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let frame = unwrapInboundIn(data)
            switch frame.opcode {
            case .connectionClose: context.close(promise: nil)
            default:
                let echo = WebSocketFrame(fin: frame.fin, opcode: frame.opcode, data: frame.unmaskedData)
                context.writeAndFlush(wrapOutboundOut(echo), promise: nil)
            }
        }
    }
}
