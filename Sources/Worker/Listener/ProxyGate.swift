import NIOCore
import NIOPosix

/// The first bytes of a connection from the sandbox decide: what asks the proxy (CONNECT, a URL in place of a path, or
/// `/egress/host/…`) goes to the gateway as it is, which alone reads it. Everything else is HTTP for this worker.
final class ProxyGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Use: Hashable {
        case proxy
        case other
        /// More must come.
        case unclear
    }

    /// For the bytes that decide.
    private static let limit = TimeAmount.seconds(60)
    /// As long as a refusal may take to be read.
    private static let lingering = TimeAmount.seconds(3)

    private let listener: SandboxListener
    private var received = ByteBuffer()
    private var isConnecting = false
    /// The client has nothing more to say.
    private var hasEnded = false
    private var timer: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    init(listener: SandboxListener) { self.listener = listener }

    /// What a connection that begins so is for.
    static func use(of bytes: some Collection<UInt8>) -> Use {
        let longestMethod = 16
        let method = bytes.prefix { $0 != UInt8(ascii: " ") }.prefix(longestMethod + 1)
        guard method.allSatisfy({ (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }), method.count <= longestMethod
        else { return .other }
        guard method.count < bytes.count else { return .unclear }
        if method.elementsEqual("CONNECT".utf8) { return .proxy }
        let target = bytes.dropFirst(method.count + 1)
        var use = Use.other
        for start in ["http://".utf8, "/egress/".utf8] {
            let begun = target.prefix(start.count)
            // In lower case, for letters; `:` and `/` have no bit to lose.
            guard zip(begun, start).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) else { continue }
            if begun.count == start.count { return .proxy }
            use = .unclear
        }
        return use
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        close(after: Self.limit)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        self.context = nil
    }

    private func close(after limit: TimeAmount) {
        timer?.cancel()
        guard let context else { return }
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        guard !isConnecting else { return }
        switch Self.use(of: received.readableBytesView) {
        case .unclear: break
        case .other: hand(on: context)
        case .proxy:
            // Without a way out, the worker's own server says so.
            guard let path = listener.egressSocket else { return hand(on: context) }
            connect(to: path, context)
        }
    }

    private func hand(on context: ChannelHandlerContext) {
        do { try listener.serve(context.channel) } catch { return context.close(promise: nil) }
        context.fireChannelRead(NIOAny(received))
        context.fireChannelReadComplete()
        received = ByteBuffer()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    // MARK: The proxy

    private func connect(to path: String, _ context: ChannelHandlerContext) {
        isConnecting = true
        timer?.cancel()
        // Nothing more is read until there is somewhere to put it.
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
        let now = NIODeadline.now()
        let turn = listener.pace.turn(at: now)
        guard turn > now else { return dial(path) }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: turn) { bound.value.dial(path) }
    }

    private func dial(_ path: String) {
        guard let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        ClientBootstrap(group: context.eventLoop)
            .connectTimeout(.seconds(5))
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.writeBufferWaterMark, value: .init(low: 64 << 10, high: 256 << 10))
            .channelOption(.maxMessagesPerRead, value: 4)
            .connect(unixDomainSocketPath: path)
            .whenComplete { result in
                switch result {
                case .success(let gateway): bound.value.connected(gateway)
                case .failure: bound.value.refuse()
                }
            }
    }

    private func connected(_ gateway: any Channel) {
        guard let context, context.channel.isActive else { return gateway.close(promise: nil) }
        let channel = context.channel
        // Who it is, said by this worker and by nobody behind it.
        gateway.write(ByteBuffer(string: "session \(listener.sessionID)\n"), promise: nil)
        gateway.writeAndFlush(received, promise: nil)
        received = ByteBuffer()
        do {
            try SandboxTunnel.join(channel, gateway)
            if hasEnded { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        } catch {
            gateway.close(promise: nil)
            channel.close(promise: nil)
        }
    }

    private func refuse() {
        guard let context else { return }
        let body =
            "rookery: the way out is closed for a moment, the server starts again; the request can be sent again\n"
        let answer =
            "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\nretry-after: 1\r\n"
            + "content-length: \(body.utf8.count)\r\nconnection: close\r\n\r\n\(body)"
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer))).whenComplete { _ in
            channel.close(mode: .output, promise: nil)
        }
        received = ByteBuffer()
        close(after: Self.lingering)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event else { return context.fireUserInboundEventTriggered(event) }
        hasEnded = true
        // Who has asked for nothing is gone; who has may wait for the answer.
        if !isConnecting { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
