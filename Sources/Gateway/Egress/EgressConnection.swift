import Foundation
import NIOCore
import Policy

/// One connection from a worker: the line that names its session, the head of one request, and then a tunnel or an
/// exchange of plain HTTP, after which it ends.
final class EgressConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case session
        case head(UUID)
        /// Nothing more is read until there is somewhere to put it.
        case deciding
        /// What comes is the next handler's.
        case relaying
        /// Answered; what still comes is thrown away.
        case over
    }

    /// For session and head.
    private static let headLimit = TimeAmount.seconds(10)
    /// For the answer to a refused request to be read, and the rest of the request to come.
    private static let lingering = TimeAmount.seconds(3)
    /// `session <UUID>\n`
    private static let longestGreeting = 64

    private let gate: EgressGate
    private var state = State.session
    private var received = ByteBuffer()
    /// How much of the head was searched for its end.
    private var searched = 0
    private var work: Task<Void, Never>?
    private var timer: Scheduled<Void>?
    private var session: UUID?
    /// The client has nothing more to say.
    private var hasEnded = false
    private var context: ChannelHandlerContext?

    init(gate: EgressGate) { self.gate = gate }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        close(after: Self.headLimit)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        self.context = nil
    }

    // MARK: What comes before

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        switch state {
        case .relaying: context.fireChannelRead(data)
        case .over: break
        case .session, .head, .deciding:
            received.writeBuffer(&bytes)
            advance()
        }
    }

    private func advance() {
        if case .session = state {
            guard let end = received.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else {
                if received.readableBytes > Self.longestGreeting { refuse(.noSession) }
                return
            }
            let line = received.readString(length: end - received.readerIndex) ?? ""
            received.moveReaderIndex(forwardBy: 1)
            guard line.hasPrefix("session "), let session = UUID(uuidString: String(line.dropFirst(8))) else {
                return refuse(.noSession)
            }
            // Another session's worker, or nobody's: not told of in the session that it named.
            guard gate.speaksFor(try? context?.channel.peerProcess(), session) else { return refuse(.foreignWorker) }
            self.session = session
            state = .head(session)
        }
        guard case .head(let session) = state, let length = headLength() else { return }
        timer?.cancel()
        do throws(EgressRefusal) {
            guard length <= ProxyRequest.longestHead, let head = received.readSlice(length: length) else {
                throw .badRequest("the request's head is over \(ProxyRequest.longestHead) bytes", status: 431)
            }
            decide(try ProxyRequest(head: head.readableBytesView), session)
        } catch {
            refuse(error)
        }
    }

    /// With the empty line; nil: more must come. A head that is too long is as long as it is by now.
    private func headLength() -> Int? {
        let end = Array("\r\n\r\n".utf8)
        let view = received.readableBytesView
        var index = view.startIndex + max(0, searched - end.count + 1)
        while index + end.count <= view.endIndex {
            if view[index] == end[0], view[index..<(index + end.count)].elementsEqual(end) {
                return index + end.count - view.startIndex
            }
            index += 1
        }
        searched = view.count
        return searched > ProxyRequest.longestHead ? searched : nil
    }

    // MARK: Deciding

    private func decide(_ request: ProxyRequest, _ session: UUID) {
        guard let context else { return }
        state = .deciding
        read(false)
        let loop = context.eventLoop
        let back = NIOLoopBound(self, eventLoop: loop)
        work = Task { [gate] in
            do throws(EgressRefusal) {
                let admission = try await gate.admit(request, of: session, on: loop)
                loop.execute { back.value.admitted(request, admission) }
            } catch {
                loop.execute { back.value.refuse(error) }
            }
        }
    }

    private func admitted(_ request: ProxyRequest, _ admission: EgressGate.Admission) {
        let (peer, use) = (admission.peer, admission.use)
        guard let context, context.channel.isActive, case .deciding = state else {
            use.close()
            return peer.close(promise: nil)
        }
        let gate = gate
        gate.counters.change { $0.openNow += 1 }
        context.channel.closeFuture.whenComplete { _ in
            use.close()
            gate.counters.change { $0.openNow -= 1 }
        }
        do { try relay(request, admission, context) } catch {
            // A peer that is gone already.
            peer.close(promise: nil)
            context.close(promise: nil)
        }
    }

    private func relay(
        _ request: ProxyRequest, _ admission: EgressGate.Admission, _ context: ChannelHandlerContext
    ) throws {
        let (peer, use, gate) = (admission.peer, admission.use, gate)
        let (target, session) = (request.target, session)
        let screen: RequestScreen
        switch request.kind {
        case .tunnel:
            gate.counters.change { $0.tunnels += 1 }
            // Not through an encoder: an answer to CONNECT has no body and no framing.
            context.writeAndFlush(
                wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 200 Connection established\r\n\r\n")), promise: nil)
            screen = use.grant.egress.requiresTLS(target.host, port: target.port) ? .hello(target) : .all
        case .plain(let plain):
            let head = ByteBuffer(string: plain.head(for: target, adding: admission.secret))
            gate.counters.change {
                $0.plainRequests += 1
                $0.sent += Int64(head.readableBytes)
            }
            // Whatever is said to that holds for what follows.
            _ = use.take(sent: head.readableBytes)
            peer.writeAndFlush(head, promise: nil)
            screen = .body(BodyReader(plain.body))
        }
        let (near, far) = RelayEnd.pair(
            use: use, screen: screen, target: target, counters: gate.counters, loop: context.eventLoop
        ) { refusal in gate.report(refusal, session) }
        try peer.pipeline.syncOperations.addHandler(far)
        try context.pipeline.syncOperations.addHandler(near)
        state = .relaying
        // What the client has sent behind the head already, and the server before it was asked.
        if received.readableBytes > 0 { context.fireChannelRead(NIOAny(received)) }
        received = ByteBuffer()
        if hasEnded { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        EarlyBytes.release(in: peer)
        guard peer.isActive else { return context.close(promise: nil) }
        near.start()
        far.start()
    }

    // MARK: Refusing

    private func refuse(_ refusal: EgressRefusal) {
        gate.report(refusal, session)
        guard let context else { return }
        if case .over = state { return }
        state = .over
        received = ByteBuffer()
        let channel = context.channel
        // Closed at once while the client still sends, the connection would be reset and the answer lost.
        context.writeAndFlush(wrapOutboundOut(refusal.answer)).whenComplete { _ in
            channel.close(mode: .output, promise: nil)
        }
        close(after: Self.lingering)
        read(true)
    }

    private func close(after limit: TimeAmount) {
        timer?.cancel()
        guard let context else { return }
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    private func read(_ reads: Bool) { try? context?.channel.syncOptions?.setOption(.autoRead, value: reads) }

    // MARK: The connection

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .relaying = state { return context.fireUserInboundEventTriggered(event) }
        guard case ChannelEvent.inputClosed = event else { return }
        // It may wait for an answer all the same, but not before it has asked.
        hasEnded = true
        if case .deciding = state { return }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        work?.cancel()
        if case .relaying = state {} else { state = .over }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
