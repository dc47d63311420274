import NIOCore
import NIOWebSocket
import WorkerControl

/// Who gets what a WebSocket brings.
protocol ClientSocketDelegate: AnyObject {
    func received(text: ByteBuffer)
    func received(binary: ByteBuffer)
    /// What was written has drained: there is room again.
    func becameWritable()
    func closed()
}

/// One WebSocket: messages in and out, pings, the closing handshake (RFC 6455).
final class ClientSocket: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// The largest message a client may send.
    static let largestMessage = 1 << 20
    /// The largest on a stream: a prompt with its images.
    static let largestCommand = 7 << 20
    private static let pingPeriod = TimeAmount.seconds(30)
    /// Nothing heard for so long, pongs included: the client is gone.
    private static let silenceLimit = TimeAmount.seconds(100)

    var delegate: (any ClientSocketDelegate)?
    /// Of this client. The decoder before it may let more through: it was put there before the client said what it wants.
    private let largest: Int
    private var context: ChannelHandlerContext?
    private var isClosing = false
    private var lastHeard = NIODeadline.uptimeNanoseconds(0)
    private var pinger: RepeatedTask?

    init(largest: Int) { self.largest = largest }

    /// False while more than the high-water mark waits to be sent.
    var isWritable: Bool { context?.channel.isWritable ?? false }
    var allocator: ByteBufferAllocator { context?.channel.allocator ?? ByteBufferAllocator() }

    func send(text: ByteBuffer) { send(.text, text) }
    func send(binary: ByteBuffer) { send(.binary, binary) }

    private func send(_ opcode: WebSocketOpcode, _ data: ByteBuffer) {
        guard let context, !isClosing else { return }
        context.writeAndFlush(wrapOutboundOut(WebSocketFrame(fin: true, opcode: opcode, data: data)), promise: nil)
    }

    /// Its credential was taken back: whoever holds it gets nothing more.
    func revoke(_ reason: String) {
        close(WebSocketErrorCode(codeNumber: Int(RevokedClose.code)), reason: reason, within: .milliseconds(500))
    }

    /// Starts the closing handshake; the connection ends with the client's answer or when the time is over.
    func close(_ code: WebSocketErrorCode, reason: String = "", within patience: TimeAmount = .seconds(1)) {
        guard let context, !isClosing else { return }
        isClosing = true
        var data = context.channel.allocator.buffer(capacity: 2 + reason.utf8.count)
        data.write(webSocketErrorCode: code)
        // A control frame has at most 125 bytes.
        data.writeString(String(decoding: reason.utf8.prefix(120), as: UTF8.self))
        let frame = WebSocketFrame(fin: true, opcode: .connectionClose, data: data)
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let loop = context.eventLoop
        lastHeard = loop.now
        let bound = NIOLoopBound(self, eventLoop: loop)
        pinger = loop.scheduleRepeatedTask(initialDelay: Self.pingPeriod, delay: Self.pingPeriod) { _ in
            bound.value.ping()
        }
    }

    private func ping() {
        guard let context else { return }
        if context.eventLoop.now - lastHeard > Self.silenceLimit { return context.close(promise: nil) }
        // What waits for it already shows whether it is there.
        if isWritable { send(.ping, ByteBuffer()) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        lastHeard = context.eventLoop.now
        guard !frame.rsv1, !frame.rsv2, !frame.rsv3 else { return close(.protocolError, reason: "reserved bits") }
        guard frame.length <= largest else { return close(.messageTooLarge) }
        switch frame.opcode {
        case .text: if !isClosing { delegate?.received(text: frame.unmaskedData) }
        case .binary: if !isClosing { delegate?.received(binary: frame.unmaskedData) }
        case .ping: if isWritable { send(.pong, frame.unmaskedData) }
        case .connectionClose: finishClosing(frame, context: context)
        default: break
        }
    }

    private func finishClosing(_ frame: WebSocketFrame, context: ChannelHandlerContext) {
        guard !isClosing else { return context.close(promise: nil) }
        isClosing = true
        var data = frame.unmaskedData
        let answer = data.readSlice(length: min(2, data.readableBytes)) ?? ByteBuffer()
        let channel = context.channel
        context.writeAndFlush(
            wrapOutboundOut(WebSocketFrame(fin: true, opcode: .connectionClose, data: answer))
        ).whenComplete { _ in channel.close(promise: nil) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { delegate?.becameWritable() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { ended() }

    private func ended() {
        pinger?.cancel()
        pinger = nil
        context = nil
        let delegate = self.delegate
        self.delegate = nil
        delegate?.closed()
    }

    /// A client that is told why still sends: what comes is dropped until it has read the answer.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case NIOWebSocketError.invalidFrameLength, NIOWebSocketFrameAggregator.Error.accumulatedFrameSizeIsTooLarge,
            NIOWebSocketFrameAggregator.Error.tooManyFragments:
            close(.messageTooLarge)
        case is NIOWebSocketError, is NIOWebSocketFrameAggregator.Error: close(.protocolError)
        case is ByteToMessageDecoderError where isClosing: break
        default: context.close(promise: nil)
        }
    }
}
