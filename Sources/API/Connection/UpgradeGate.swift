import Logging
import NIOCore
import NIOExtras
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Stands behind the HTTP decoder until the first request is there. A WebSocket upgrade stops here, with everything
/// after it withheld, for the upgrade router; anything else opens the way to Hummingbird.
///
/// Only the first request of a connection can be an upgrade: browsers open a connection for each WebSocket. A later
/// one reaches the route, which answers 426.
final class UpgradeGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case waiting
        case upgrade(HTTPRequestHead)
        /// The request is complete; reads are withheld until the upgrade router knows where the bytes go.
        case holding
        case done
    }

    let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    let encoder: HTTPResponseEncoder
    private let timeouts: ConnectionTimeouts
    private let outcome: EventLoopPromise<ClientConnection.Outcome>
    private let logger: Logger
    private var state = State.waiting
    private var deadline: Scheduled<Void>?
    /// In the decoder's place, once somebody has decided for the connection.
    private(set) var held: HeldBytes?

    init(
        decoder: ByteToMessageHandler<HTTPRequestDecoder>, encoder: HTTPResponseEncoder,
        timeouts: ConnectionTimeouts, outcome: EventLoopPromise<ClientConnection.Outcome>, logger: Logger
    ) {
        self.decoder = decoder
        self.encoder = encoder
        self.timeouts = timeouts
        self.outcome = outcome
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: timeouts.firstHead) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        // Only a waiting gate has not answered; a promise takes the first answer.
        if case .waiting = state { outcome.succeed(.closed) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (state, unwrapInboundIn(data)) {
        case (.waiting, .head(let head)) where Self.isWebSocket(head):
            deadline?.cancel()
            state = .upgrade(head)
        case (.waiting, .head(let head)):
            deadline?.cancel()
            state = .done
            openHTTP(context, head: head)
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        case (.upgrade(let head), .end):
            state = .holding
            outcome.succeed(.upgrade(PendingUpgrade(head: head, channel: context.channel, gate: self)))
        case (.upgrade, .body):
            refuse(context, Problem(400, "bad_request", "an upgrade request has no body"))
        case (.done, _): context.fireChannelRead(data)
        default: break
        }
    }

    private func openHTTP(_ context: ChannelHandlerContext, head: HTTPRequestHead) {
        do {
            let pipeline = context.pipeline.syncOperations
            try pipeline.addHandlers([
                HTTP1ToHTTPServerCodec(secure: false), ConnectionGuard(timeouts, closesAfterFirst: !head.isKeepAlive),
            ])
            let channel = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
                wrappingChannelSynchronously: context.channel,
                configuration: .init(isOutboundHalfClosureEnabled: true))
            outcome.succeed(.http(channel))
        } catch {
            logger.error("cannot set up a connection", metadata: ["error": "\(error)"])
            outcome.succeed(.closed)
            context.close(promise: nil)
        }
    }

    /// RFC 6455 4.2.1, as far as it says that a WebSocket is meant; the rest is checked where it can be answered.
    static func isWebSocket(_ head: HTTPRequestHead) -> Bool {
        head.headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
            && head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
    }

    func read(context: ChannelHandlerContext) {
        if case .holding = state { return }
        context.read()
    }

    func channelInactive(context: ChannelHandlerContext) {
        outcome.succeed(.closed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch state {
        case .waiting, .upgrade: refuse(context, WireProblem.problem(of: error))
        case .holding: context.close(promise: nil)
        case .done: context.fireErrorCaught(error)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch (state, event) {
        case (.done, _): context.fireUserInboundEventTriggered(event)
        case (_, is ChannelShouldQuiesceEvent): context.close(promise: nil)
        case (_, ChannelEvent.inputClosed):
            // Nothing was asked and nothing will be.
            if case .waiting = state { context.close(promise: nil) }
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// Has what came behind the request, and nothing is decoded any more. On the channel's event loop only; the future
    /// fails when the client is gone.
    func hold(_ channel: any Channel) -> EventLoopFuture<Void> {
        if held != nil { return channel.eventLoop.makeSucceededVoidFuture() }
        do {
            let pipeline = channel.pipeline.syncOperations
            _ = try pipeline.context(handler: self)
            let held = HeldBytes()
            try pipeline.addHandler(held, position: .after(decoder))
            self.held = held
            let removed = channel.eventLoop.makePromise(of: Void.self)
            pipeline.removeHandler(decoder, promise: removed)
            return removed.futureResult
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
    }

    /// Answers with a problem and ends the connection. On the channel's event loop only.
    func refuse(_ context: ChannelHandlerContext, _ problem: Problem) {
        deadline?.cancel()
        state = .done
        held?.drop()
        let (head, body) = WireProblem.parts(problem, allocator: context.channel.allocator)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        LingeringClose.begin(context)
        outcome.succeed(.closed)
    }
}
