import NIOCore
import NIOHTTP1
import NIOPosix

/// One request on its way to the gateway, and its response on the way back. Each side stops reading while the
/// other does not take what was read.
final class Upstream {
    private enum Phase {
        case connecting([HTTPClientRequestPart])
        case connected(any Channel)
        case finished
    }

    private weak var owner: SandboxConnection?
    private let allocator: ByteBufferAllocator
    private var phase = Phase.connecting([])
    private var isAnswered = false

    init(owner: SandboxConnection, allocator: ByteBufferAllocator) {
        self.owner = owner
        self.allocator = allocator
    }

    /// Uses the connection that stands, or makes one.
    func connect(by spare: SpareConnection, to path: String, on loop: any EventLoop) {
        if let channel = spare.take() { return take(channel) }
        let bound = NIOLoopBound(self, eventLoop: loop)
        SpareConnection.connect(to: path, on: loop).whenComplete { result in
            switch result {
            case .success(let channel): bound.value.take(channel)
            case .failure(let error): bound.value.failed(error)
            }
        }
    }

    private func take(_ channel: any Channel) {
        do { try channel.pipeline.syncOperations.addHandler(UpstreamHandler(self)) } catch {
            channel.close(promise: nil)
            return failed(error)
        }
        connected(channel)
    }

    /// A part of the request; parts that come before the connection stands wait for it.
    func send(_ part: HTTPClientRequestPart) {
        switch phase {
        case .connecting(var waiting):
            waiting.append(part)
            phase = .connecting(waiting)
        case .connected(let channel):
            channel.writeAndFlush(part, promise: nil)
            if !channel.isWritable { owner?.readMore(false) }
        case .finished: break
        }
    }

    private func connected(_ channel: any Channel) {
        guard case .connecting(let waiting) = phase else { return channel.close(promise: nil) }
        phase = .connected(channel)
        for part in waiting { channel.write(part, promise: nil) }
        channel.flush()
        owner?.readMore(channel.isWritable)
        ownerIsWritable(owner?.isWritable ?? false)
    }

    /// Nobody waits for the response any more.
    func cancel() {
        owner = nil
        if case .connected(let channel) = phase { channel.close(promise: nil) }
        phase = .finished
    }

    func ownerIsWritable(_ writable: Bool) {
        guard case .connected(let channel) = phase else { return }
        try? channel.syncOptions?.setOption(.autoRead, value: writable)
    }

    // MARK: The handler's reports

    fileprivate func received(_ part: HTTPClientResponsePart) {
        switch part {
        case .head(let head):
            // 100 and 103 are for the hop before.
            guard head.status.code >= 200 else { return }
            isAnswered = true
            owner?.returned(part)
        case .body: owner?.returned(part)
        case .end:
            guard isAnswered, let owner else { return }
            cancel()
            owner.returned(part)
        }
    }

    fileprivate func writabilityChanged(_ writable: Bool) { owner?.readMore(writable) }

    fileprivate func failed(_ error: any Error) {
        if case .finished = phase { return }
        let owner = self.owner
        cancel()
        owner?.upstreamFailed(error, answered: isAnswered)
    }
}

private final class UpstreamHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    private let upstream: Upstream

    init(_ upstream: Upstream) { self.upstream = upstream }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { upstream.received(unwrapInboundIn(data)) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        upstream.writabilityChanged(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        upstream.failed(ChannelError.eof)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        upstream.failed(error)
        context.close(promise: nil)
    }
}
