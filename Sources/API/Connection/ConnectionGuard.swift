import Foundation
import HTTPTypes
import NIOCore
import NIOExtras
import NIOHTTP1
import NIOHTTPTypes

/// Keeps one HTTP connection within bounds: requests arrive in time, bad bytes get an answer, `Connection: close` is
/// kept from either side, and a shutdown ends it.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Requests whose head was read and whose response is not complete.
    private var open = 0
    private var reading = false
    /// The response being written is an event stream, which ends only when the client goes.
    private var streaming = false
    /// The requests that were read are the last ones: the client said so, or what follows cannot be read.
    private var takesNoMore: Bool
    /// The response being written says that it is the last.
    private var closesAfter = false
    /// Nothing more is read: the last response is written or being written.
    private var lingering = false
    private var quiescing = false
    private var deadline: Scheduled<Void>?

    private let timeouts: ConnectionTimeouts

    init(_ timeouts: ConnectionTimeouts, closesAfterFirst: Bool) {
        self.timeouts = timeouts
        takesNoMore = closesAfterFirst
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    private func schedule(_ context: ChannelHandlerContext, _ delay: TimeAmount) {
        deadline?.cancel()
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: delay) { channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !lingering else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            if takesNoMore, open > 0 { return }
            open += 1
            reading = true
            // The decoder stops at any upgrade (h2c, say), so such a connection cannot take another request.
            let fields = head.headerFields
            let tokens = fields[values: .connection].joined(separator: ",").lowercased()
            if tokens.contains("close") || fields[.upgrade] != nil { takesNoMore = true }
            schedule(context, timeouts.request)
        case .body:
            guard reading else { return }
        case .end:
            guard reading else { return }
            reading = false
            deadline?.cancel()
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if lingering { context.read() }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            guard head.status.code >= 200 else {
                context.write(data, promise: promise)
                return
            }
            closesAfter =
                quiescing || takesNoMore && open == 1 || head.headerFields[.connection]?.lowercased() == "close"
            if closesAfter { head.headerFields[.connection] = "close" }
            streaming = head.headerFields[.contentType]?.hasPrefix("text/event-stream") == true
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            context.writeAndFlush(data, promise: promise)
            open -= 1
            streaming = false
            if closesAfter || quiescing || takesNoMore && open == 0 {
                linger(context)
            } else if open == 0, !reading {
                schedule(context, timeouts.request)
            }
        }
    }

    private func linger(_ context: ChannelHandlerContext) {
        guard !lingering else { return }
        lingering = true
        deadline?.cancel()
        LingeringClose.begin(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !lingering else { return }
        takesNoMore = true
        if reading {
            // Whoever reads the body must learn of it; what it then answers is the last response.
            context.fireErrorCaught(error)
        } else if open == 0 {
            answer(context, WireProblem.problem(of: error))
        }
        // Else garbage follows a good request: its response is the last thing sent.
    }

    private func answer(_ context: ChannelHandlerContext, _ problem: Problem) {
        let (head, body) = WireProblem.parts(problem, allocator: context.channel.allocator)
        var fields = HTTPFields()
        for (name, value) in head.headers {
            guard let name = HTTPField.Name(name) else { continue }
            fields[name] = value
        }
        let response = HTTPResponse(status: .init(code: problem.status), headerFields: fields)
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        linger(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            quiescing = true
            if open == 0 {
                context.close(promise: nil)
            } else {
                schedule(context, timeouts.shutdown)
            }
        case ChannelEvent.inputClosed where streaming:
            context.close(promise: nil)
        case ChannelEvent.inputClosed where lingering:
            context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }
}
