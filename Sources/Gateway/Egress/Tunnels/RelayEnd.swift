import NIOCore

/// One end of a connection to the world; its partner is the other. Bytes go through as they come, screened on the way
/// out, counted, and held back by the limits and by the other side's speed. What came faster than it may go waits here for
/// its time: at the end of a direction the transport reads all that is left, whether it was asked to or not.
final class RelayEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// For a tool to say whom it wants.
    private static let helloLimit = TimeAmount.seconds(15)
    /// Without a byte in either direction.
    private static let silence = TimeAmount.minutes(15)
    /// For the last bytes to be taken.
    private static let lingering = TimeAmount.seconds(60)

    private let use: EgressUse
    private let target: EgressDestination
    private let counters: EgressCounters
    private let loop: any EventLoop
    private let refused: (EgressRefusal) -> Void
    /// nil at the world's end.
    private var screen: RequestScreen?
    private weak var partner: RelayEnd?
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var lastByte = NIODeadline.now()
    private var waiting = PacedBytes()
    private var release: Scheduled<Void>?
    /// Something of it was passed on.
    private var hasSpoken = false
    private var hasEnded = false

    private init(
        use: EgressUse, screen: RequestScreen?, target: EgressDestination, counters: EgressCounters,
        loop: any EventLoop, refused: @escaping (EgressRefusal) -> Void
    ) {
        self.use = use
        self.screen = screen
        self.target = target
        self.counters = counters
        self.loop = loop
        self.refused = refused
    }

    /// The sandbox's end and the world's. Both channels belong to one event loop.
    static func pair(
        use: EgressUse, screen: RequestScreen, target: EgressDestination, counters: EgressCounters,
        loop: any EventLoop, refused: @escaping (EgressRefusal) -> Void
    ) -> (near: RelayEnd, far: RelayEnd) {
        let near = RelayEnd(
            use: use, screen: screen, target: target, counters: counters, loop: loop, refused: refused)
        let far = RelayEnd(use: use, screen: nil, target: target, counters: counters, loop: loop, refused: refused)
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
        touch()
        let passage: EgressUse.Passage
        if screen != nil {
            counters.change { $0.sent += Int64(count) }
            passage = use.take(sent: count)
        } else {
            counters.change { $0.received += Int64(count) }
            passage = use.take(received: count)
        }
        switch passage {
        case .free where waiting.isEmpty: take(bytes)
        case .free: hold(bytes, until: .now())
        case .pause(let time): hold(bytes, until: .now() + time)
        case .spent(let ofTenant):
            refused(.dailyBytes(use.grant, target, ofTenant: ofTenant))
            end()
        }
    }

    private func touch() {
        lastByte = .now()
        partner?.lastByte = lastByte
    }

    /// Bytes whose time has come.
    private func take(_ bytes: ByteBuffer) {
        guard screen != nil else { return pass(bytes) }
        let wasWaiting = screen?.isWaiting ?? false
        switch screen?.take(bytes) ?? .wait {
        case .pass(let bytes):
            if wasWaiting, context != nil { watch(Self.silence) }
            pass(bytes)
        case .wait: break
        case .refuse(let objection): refuse(objection)
        }
    }

    private func pass(_ bytes: ByteBuffer) {
        hasSpoken = true
        guard let partner, let other = partner.context else { return }
        other.writeAndFlush(partner.wrapOutboundOut(bytes), promise: nil)
        if !other.channel.isWritable { read(false) }
    }

    private func refuse(_ objection: RequestScreen.Objection) {
        let refusal: EgressRefusal =
            switch objection {
            case .notTLS: .notTLS(use.grant, target)
            case .serverName(let name): .serverName(name, target)
            case .malformed: .badRequest("the request's body is not what its head says", target: target.description)
            }
        refused(refusal)
        // As far as the tool can still be told.
        let last: ByteBuffer? =
            switch objection {
            case .notTLS: nil
            case .serverName: refusal.alert
            case .malformed: partner?.hasSpoken == false ? refusal.answer : nil
            }
        guard let last, let context else { return end() }
        waiting = PacedBytes()
        // Before the other side goes, and takes this one with it.
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(last)).whenComplete { _ in channel.close(promise: nil) }
        partner?.context?.close(promise: nil)
    }

    // MARK: Holding back

    private func read(_ reads: Bool) {
        try? context?.channel.syncOptions?.setOption(.autoRead, value: reads && waiting.isEmpty)
    }

    private func hold(_ bytes: ByteBuffer, until due: NIODeadline) {
        waiting.append(bytes, due: due)
        read(false)
        if release == nil { scheduleRelease() }
    }

    private func scheduleRelease() {
        guard let due = waiting.nextDue else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        release = loop.scheduleTask(deadline: due) { bound.value.releaseDue() }
    }

    private func releaseDue() {
        release = nil
        while let bytes = waiting.popDue(at: .now()) {
            touch()
            take(bytes)
        }
        guard waiting.isEmpty else { return scheduleRelease() }
        if hasEnded { ended() } else { start() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        partner?.read(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    // MARK: Ending

    private func watch(_ limit: TimeAmount) {
        timer?.cancel()
        let bound = NIOLoopBound(self, eventLoop: loop)
        timer = loop.scheduleTask(in: limit) { bound.value.look(limit) }
    }

    private func look(_ limit: TimeAmount) {
        let left = lastByte + limit - .now()
        let isHeld = !waiting.isEmpty || partner?.waiting.isEmpty == false
        // A first message that comes drop by drop has its time all the same.
        if !isHeld, screen?.isWaiting == true || left <= .nanoseconds(0) { return end() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        timer = loop.scheduleTask(in: max(left, .seconds(1))) { bound.value.look(limit) }
    }

    /// At once, without what waits.
    private func end() {
        for end in [self, partner] {
            end?.waiting = PacedBytes()
            end?.context?.close(promise: nil)
        }
    }

    /// This side has nothing more to say; the other may.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event else { return context.fireUserInboundEventTriggered(event) }
        hasEnded = true
        if waiting.isEmpty { ended() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        hasEnded = true
        self.context = nil
        if waiting.isEmpty { ended() }
        context.fireChannelInactive()
    }

    /// All that this side had to say is passed on.
    private func ended() {
        guard let partner, let other = partner.context else {
            context?.close(promise: nil)
            return
        }
        let end: RequestScreen.End =
            context == nil ? .whole : screen?.clientEnd ?? partner.screen?.serverEnd ?? .whole
        switch end {
        case .half where !partner.isOver:
            // Closed at once, what still waits to be written would be lost.
            let channel = other.channel
            other.writeAndFlush(partner.wrapOutboundOut(ByteBuffer())).whenComplete { _ in
                channel.close(mode: .output, promise: nil)
            }
        case .hidden: break
        case .half, .whole: finish(partner, other)
        }
    }

    private var isOver: Bool { hasEnded && waiting.isEmpty }

    /// Closes both; what was passed on is written first.
    private func finish(_ partner: RelayEnd, _ other: ChannelHandlerContext) {
        let channels = [other.channel, context?.channel]
        let close: @Sendable () -> Void = { for channel in channels { channel?.close(promise: nil) } }
        let limit = loop.scheduleTask(in: Self.lingering, close)
        other.writeAndFlush(partner.wrapOutboundOut(ByteBuffer())).whenComplete { _ in
            limit.cancel()
            close()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
