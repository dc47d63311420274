import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import SessionCore

/// One HTTP/1.1 connection out of the sandbox, request after request.
final class SandboxConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// A report's body; a tool input that is larger is not reported.
    static let largestHook = 1 << 20
    /// For the whole head of a first request, or the next on a connection that is kept.
    private static let headLimit = TimeAmount.seconds(60)
    /// Between two pieces of a request's body.
    private static let bodyLimit = TimeAmount.seconds(60)
    /// For the rest of a request that was answered before it was read.
    private static let lingering = TimeAmount.seconds(3)

    private enum State {
        /// Between requests.
        case idle
        case report(SandboxReport, body: ByteBuffer)
        /// A whole report, which waits for its answer.
        case answering(HookCall)
        case forwarding(Upstream)
        /// Asks for the event stream.
        case listening
        case streaming(EventStream)
        /// Answered already; the rest of the request is thrown away, and then the connection closes.
        case discarding

        var hookBytes: Int {
            if case .report(_, let body) = self { body.readableBytes } else { 0 }
        }
    }

    private let listener: SandboxListener
    private var state = State.idle {
        didSet { listener.hookBytes += state.hookBytes - oldValue.hookBytes }
    }
    private var timer: Scheduled<Void>?
    private var requestEnded = true
    /// The connection serves another request after this one.
    private var isKept = true
    private var context: ChannelHandlerContext?

    init(listener: SandboxListener) { self.listener = listener }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        wait(Self.headLimit)
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            requestEnded = false
            isKept = head.isKeepAlive
            wait(Self.bodyLimit)
            begin(head, context: context)
        case .body(let bytes):
            if !isDiscarding { wait(Self.bodyLimit) }
            body(bytes, context: context)
        case .end:
            requestEnded = true
            timer?.cancel()
            end(context: context)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .forwarding(let upstream) = state { upstream.flush() }
        context.fireChannelReadComplete()
    }

    private func begin(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        let path = head.uri.prefix { $0 != "?" }
        if let report = SandboxReport(path: path) {
            if case .channel = report, listener.onStream != nil, EventStream.isAsked(by: head) {
                state = .listening
            } else if head.method == .POST {
                state = .report(report, body: ByteBuffer())
            } else {
                refuse(.problem(.methodNotAllowed, code: "method_not_allowed", detail: "hooks and messages are posted"))
            }
        } else if head.method == .CONNECT || !path.hasPrefix("/") {
            // The first request of a connection decides what it is for.
            refuse(
                .problem(
                    .forbidden, code: "egress_denied",
                    detail: "this connection cannot ask the proxy for \(head.uri.prefix(256)): "
                        + (listener.egressSocket == nil
                            ? "the session's only way out is the model API" : "open another for it")))
        } else {
            forward(head, context: context)
        }
        if head.headers.first(name: "expect")?.lowercased() == "100-continue", !isDiscarding {
            let go = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(go)), promise: nil)
        }
    }

    private var isDiscarding: Bool {
        if case .discarding = state { true } else { false }
    }

    private func body(_ bytes: ByteBuffer, context: ChannelHandlerContext) {
        switch state {
        case .report(let report, var body):
            guard body.readableBytes + bytes.readableBytes <= Self.largestHook else {
                return refuse(
                    .problem(
                        .payloadTooLarge, code: "hook_too_large",
                        detail: "a hook's report is at most \(Self.largestHook) bytes"))
            }
            guard listener.hookBytes + bytes.readableBytes <= SandboxListener.mostHookBytes else {
                return refuse(
                    .problem(.serviceUnavailable, code: "too_many_hooks", detail: "too many hooks report at once"))
            }
            state = .discarding
            body.writeImmutableBuffer(bytes)
            state = .report(report, body: body)
        case .forwarding(let upstream): upstream.send(.body(.byteBuffer(bytes)))
        case .idle, .discarding, .answering, .listening, .streaming: break
        }
    }

    private func end(context: ChannelHandlerContext) {
        switch state {
        case .report(let report, let body):
            let call = HookCall { [weak self] in self?.answered($0) }
            state = .answering(call)
            timer?.cancel()
            listener.onReport(report, body, call)
        case .forwarding(let upstream): upstream.send(.end(nil))
        case .discarding: context.close(promise: nil)
        case .listening:
            let stream = EventStream(on: context.channel)
            state = .streaming(stream)
            listener.onStream?(stream)
        case .idle, .answering, .streaming: break
        }
    }

    private func answered(_ response: PlainResponse) {
        guard let context, case .answering = state else { return }
        state = .idle
        response.write(to: context, then: ending)
        wait(Self.headLimit)
    }

    /// Whoever was to answer is told that nobody waits any more.
    private func give(up state: State) {
        switch state {
        case .forwarding(let upstream): upstream.cancel()
        case .answering(let call): call.gone()
        case .streaming(let stream): stream.closed()
        case .idle, .report, .discarding, .listening: break
        }
    }

    private var ending: PlainResponse.Ending { isKept ? .keep : .close }

    /// Answers now; what still comes of the request is not read as another.
    private func refuse(_ response: PlainResponse) {
        guard let context else { return }
        state = .discarding
        // Closed while the client still sends, the connection would be reset and the answer lost.
        response.write(to: context, then: requestEnded ? .close : .announceClose)
        wait(Self.lingering)
    }

    private func wait(_ limit: TimeAmount) {
        timer?.cancel()
        guard let context else { return }
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    // MARK: Forwarding

    private func forward(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        let upstream = Upstream(owner: self)
        state = .forwarding(upstream)
        // Nothing more is read until there is somewhere to put it.
        readMore(false)
        var request = head
        request.version = .http1_1
        request.headers = HeaderHygiene.forwarded(head.headers, from: listener.sessionID)
        upstream.send(.head(request))
        upstream.connect(by: listener.kept, to: listener.gatewaySocket, on: context.eventLoop)
    }

    func readMore(_ reads: Bool) {
        guard let context else { return }
        try? context.channel.syncOptions?.setOption(.autoRead, value: reads)
    }

    /// True while the sandbox reads what it is sent.
    var isWritable: Bool { context?.channel.isWritable ?? false }

    func isFree(_ connection: GatewayConnection) {
        listener.kept.keep(connection, on: connection.channel.eventLoop)
    }

    func returned(_ part: HTTPClientResponsePart) {
        guard let context else { return }
        switch part {
        case .head(let head):
            var response = HTTPResponseHead(version: .http1_1, status: head.status)
            response.headers = HeaderHygiene.returned(head.headers)
            if !isKept { response.headers.replaceOrAdd(name: "connection", value: "close") }
            context.write(wrapOutboundOut(.head(response)), promise: nil)
        case .body(let bytes): context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
        case .end:
            let channel = context.channel
            let isReusable = requestEnded && isKept
            state = isReusable ? .idle : .discarding
            context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
                if !isReusable { channel.close(promise: nil) }
            }
            readMore(true)
            wait(Self.headLimit)
        }
    }

    /// The gateway is not there, or went away in the middle of an answer.
    func upstreamFailed(_ error: any Error, answered: Bool) {
        guard let context, case .forwarding = state else { return }
        listener.logger.warning("the gateway does not answer", metadata: ["error": "\(error)"])
        guard !answered else { return context.close(promise: nil) }
        // What the CLI takes as a reason to try again (529, retry-after).
        let overloaded: JSONValue = [
            "type": "error",
            "error": [
                "type": "overloaded_error",
                "message": "The model gateway is not reachable at the moment; the request can be sent again.",
            ],
        ]
        let status = HTTPResponseStatus.custom(code: 529, reasonPhrase: "Overloaded")
        let response = PlainResponse.json(status, overloaded, headers: ["retry-after": "1"])
        if requestEnded {
            state = .idle
            response.write(to: context, then: ending)
            wait(Self.headLimit)
        } else {
            refuse(response)
        }
        readMore(true)
    }

    // MARK: The connection

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if case .forwarding(let upstream) = state { upstream.ownerIsWritable(context.channel.isWritable) }
        context.fireChannelWritabilityChanged()
    }

    /// The CLI went away: nobody waits for the answer any more.
    func channelInactive(context: ChannelHandlerContext) {
        let left = state
        state = .discarding
        give(up: left)
        timer?.cancel()
        self.context = nil
        context.fireChannelInactive()
    }

    /// What is no HTTP has been answered with 400 by NIO's own handler, unless an answer was on its way. Nothing may
    /// be written after it.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let left = state
        state = .discarding
        give(up: left)
        context.close(promise: nil)
    }
}
