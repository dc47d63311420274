import NIOCore

/// One end of a connection to the world; its partner is the other. Bytes go through as they come, screened on the way
/// out, counted, and held back by the limits and by the other side's speed.
final class RelayEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// For a tool to say whom it wants.
    private static let helloLimit = TimeAmount.seconds(15)
    /// Without a byte in either direction.
    private static let silence = TimeAmount.minutes(15)

    private let use: EgressUse
    private let target: EgressDestination
    private let counters: EgressCounters
    private let refused: (EgressRefusal) -> Void
    /// nil at the world's end.
    private var screen: RequestScreen?
    private weak var partner: RelayEnd?
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var lastByte = NIODeadline.now()
    private var isPaused = false
    private var hasEnded = false

    private init(
        use: EgressUse, screen: RequestScreen?, target: EgressDestination, counters: EgressCounters,
        refused: @escaping (EgressRefusal) -> Void
    ) {
        self.use = use
        self.screen = screen
        self.target = target
        self.counters = counters
        self.refused = refused
    }

    /// The sandbox's end and the world's. Both channels belong to one event loop.
    static func pair(
        use: EgressUse, screen: RequestScreen, target: EgressDestination, counters: EgressCounters,
        refused: @escaping (EgressRefusal) -> Void
    ) -> (near: RelayEnd, far: RelayEnd) {
        let near = RelayEnd(use: use, screen: screen, target: target, counters: counters, refused: refused)
        let far = RelayEnd(use: use, screen: nil, target: target, counters: counters, refused: refused)
        near.partner = far
        far.partner = near
        return (near, far)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        guard let screen else { return }
        watch(screen.isWaiting ? Self.helloLimit : Self.silence)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        self.context = nil
    }

    /// Both ends are in place.
    func start() { read(partner?.context?.channel.isWritable ?? false) }

    // MARK: Bytes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        let count = bytes.readableBytes
        lastByte = .now()
        partner?.lastByte = lastByte
        let passage: EgressUse.Passage
        if screen != nil {
            counters.change { $0.sent += Int64(count) }
            passage = use.take(sent: count)
        } else {
            counters.change { $0.received += Int64(count) }
            passage = use.take(received: count)
        }
        switch passage {
        case .free: break
        case .pause(let time): pause(time, context)
        case .spent(let ofTenant):
            refused(.dailyBytes(use.grant, target, ofTenant: ofTenant))
            return end()
        }
        guard screen != nil else { return pass(bytes) }
        let wasWaiting = screen?.isWaiting ?? false
        switch screen?.take(bytes) ?? .wait {
        case .pass(let bytes):
            if wasWaiting { watch(Self.silence) }
            pass(bytes)
        case .wait: break
        case .refuse(let objection): refuse(objection, context)
        }
    }

    private func pass(_ bytes: ByteBuffer) {
        guard let partner, let other = partner.context else { return }
        other.writeAndFlush(partner.wrapOutboundOut(bytes), promise: nil)
        if !other.channel.isWritable { read(false) }
    }

    private func refuse(_ objection: RequestScreen.Objection, _ context: ChannelHandlerContext) {
        let refusal: EgressRefusal =
            switch objection {
            case .notTLS: .notTLS(use.grant, target)
            case .serverName(let name): .serverName(name, target)
            case .malformed: .badRequest("the request's body is not what its head says", target: target.description)
            }
        refused(refusal)
        partner?.context?.close(promise: nil)
        guard case .serverName = objection else { return context.close(promise: nil) }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(refusal.alert)).whenComplete { _ in channel.close(promise: nil) }
    }

    // MARK: Holding back

    private func read(_ reads: Bool) {
        try? context?.channel.syncOptions?.setOption(.autoRead, value: reads && !isPaused)
    }

    private func pause(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        isPaused = true
        read(false)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: time) {
            bound.value.isPaused = false
            bound.value.start()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        partner?.read(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    // MARK: Ending

    private func watch(_ limit: TimeAmount) {
        guard let context else { return }
        timer?.cancel()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: limit) { bound.value.look(limit) }
    }

    private func look(_ limit: TimeAmount) {
        guard let context else { return }
        let left = lastByte + limit - .now()
        // A first message that comes drop by drop has its time all the same.
        if screen?.isWaiting == true || left <= .nanoseconds(0) { return end() }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: left) { bound.value.look(limit) }
    }

    private func end() {
        partner?.context?.close(promise: nil)
        context?.close(promise: nil)
    }

    /// This side has nothing more to say; the other may.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event else { return context.fireUserInboundEventTriggered(event) }
        hasEnded = true
        guard let partner, let other = partner.context else { return context.close(promise: nil) }
        switch screen?.clientEnd ?? partner.screen?.serverEnd ?? .whole {
        case .half where !partner.hasEnded:
            // Closed at once, what still waits to be written would be lost.
            let channel = other.channel
            other.writeAndFlush(partner.wrapOutboundOut(ByteBuffer())).whenComplete { _ in
                channel.close(mode: .output, promise: nil)
            }
        case .hidden: break
        case .half, .whole: finish(other, partner, context)
        }
    }

    /// What was passed on is written first.
    private func finish(_ other: ChannelHandlerContext, _ partner: RelayEnd, _ context: ChannelHandlerContext) {
        let channels = [other.channel, context.channel]
        other.writeAndFlush(partner.wrapOutboundOut(ByteBuffer())).whenComplete { _ in
            for channel in channels { channel.close(promise: nil) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let partner, let other = partner.context { finish(other, partner, context) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
