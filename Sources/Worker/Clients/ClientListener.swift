import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import WorkerControl

/// The worker's HTTP/1.1 socket for clients that the supervisor relays: WebSocket upgrades and nothing else.
enum ClientListener {
    static func bind(_ path: String, for worker: SessionWorker) -> EventLoopFuture<any Channel> {
        let bound = NIOLoopBound(worker, eventLoop: worker.loop)
        return ServerBootstrap(group: worker.loop)
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.writeBufferWaterMark, value: ClientPipeline.waterMark)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try configure(channel, for: bound) }
            }
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
    }

    private static func configure(_ channel: any Channel, for worker: NIOLoopBound<SessionWorker>) throws {
        let refusal = ClientRefusalHandler(worker: worker.value)
        let bound = NIOLoopBound(refusal, eventLoop: channel.eventLoop)
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: ClientSocket.largestCommand,
            automaticErrorHandling: false,
            shouldUpgrade: { channel, head in
                let accepted = (try? check(head, worker.value)) != nil
                return channel.eventLoop.makeSucceededFuture(accepted ? HTTPHeaders() : nil)
            },
            upgradePipelineHandler: { channel, head in
                channel.eventLoop.makeCompletedFuture {
                    try ClientPipeline.attach(channel, ClientRequest(head), to: worker.value)
                }
            })
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withServerUpgrade: (
                upgraders: [upgrader],
                completionHandler: { context in
                    context.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
                }
            ))
        try channel.pipeline.syncOperations.addHandler(refusal)
    }

    fileprivate static func check(
        _ head: HTTPRequestHead, _ worker: SessionWorker
    ) throws(ClientRefusal) -> ClientRequest {
        let request = try ClientRequest(head)
        try worker.checkRoom(for: request)
        return request
    }
}

/// Answers what is not an acceptable upgrade, and closes.
private final class ClientRefusalHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let worker: SessionWorker
    private var deadline: Scheduled<Void>?

    init(worker: SessionWorker) { self.worker = worker }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: .seconds(10)) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        var refusal = ClientRefusal(.upgradeRequired, "this socket serves WebSockets only (RFC 6455, version 13)")
        do {
            _ = try ClientListener.check(head, worker)
        } catch {
            refusal = error
        }
        PlainResponse.problem(refusal.status, code: "refused", detail: refusal.detail).write(to: context, then: .close)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
