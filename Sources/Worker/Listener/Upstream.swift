import NIOCore
import NIOHTTP1

/// One request on its way to the gateway, and its response on the way back. Each side stops reading while the
/// other does not take what was read.
final class Upstream {
    private enum Phase {
        case connecting([HTTPClientRequestPart])
        case connected(GatewayConnection)
        case finished
    }

    private weak var owner: SandboxConnection?
    private var phase = Phase.connecting([])
    private var isSent = false
    private var isAnswered = false
    /// The gateway takes another request after this one.
    private var isKept = false

    init(owner: SandboxConnection) { self.owner = owner }

    /// How long a gateway may be away, as while the supervisor is started again, before whoever asks is told.
    private static let patience = TimeAmount.seconds(30)
    /// Between two looks for one that is.
    private static let pause = TimeAmount.milliseconds(200)

    /// Sends what waits, and what comes, on a connection that stands, or on a new one.
    func connect(by kept: KeptConnections, to path: String, on loop: any EventLoop) {
        if let connection = kept.take() { return connected(connection) }
        connect(to: path, on: loop, until: .now() + Self.patience)
    }

    private func connect(to path: String, on loop: any EventLoop, until deadline: NIODeadline) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        GatewayConnection.connect(to: path, on: loop).whenComplete { result in
            do {
                bound.value.connected(try GatewayConnection(result.get()))
                bound.value.flush()
            } catch {
                guard .now() < deadline else { return bound.value.failed(error) }
                loop.scheduleTask(in: Self.pause) {
                    guard case .connecting = bound.value.phase else { return }
                    bound.value.connect(to: path, on: loop, until: deadline)
                }
            }
        }
    }

    /// A part of the request; parts that come before the connection stands wait for it. Goes out with ``flush()``.
    func send(_ part: HTTPClientRequestPart) {
        if case .end = part { isSent = true }
        switch phase {
        case .connecting(var waiting):
            waiting.append(part)
            phase = .connecting(waiting)
        case .connected(let connection):
            connection.channel.write(part, promise: nil)
            if !connection.channel.isWritable { owner?.readMore(false) }
        case .finished: break
        }
    }

    /// What has come together goes out together.
    func flush() { if case .connected(let connection) = phase { connection.channel.flush() } }

    private func connected(_ connection: GatewayConnection) {
        let channel = connection.channel
        guard case .connecting(let waiting) = phase else { return channel.close(promise: nil) }
        phase = .connected(connection)
        connection.upstream = self
        for part in waiting { channel.write(part, promise: nil) }
        owner?.readMore(channel.isWritable)
        ownerIsWritable(owner?.isWritable ?? false)
    }

    /// Nobody waits for the response any more.
    func cancel() {
        owner = nil
        if case .connected(let connection) = phase {
            connection.upstream = nil
            connection.channel.close(promise: nil)
        }
        phase = .finished
    }

    func ownerIsWritable(_ writable: Bool) {
        if case .connected(let connection) = phase { connection.reads(writable) }
    }

    // MARK: The connection's reports

    func received(_ part: HTTPClientResponsePart) {
        switch part {
        case .head(let head):
            // 100 and 103 are for the hop before.
            guard head.status.code >= 200 else { return }
            isAnswered = true
            isKept = head.isKeepAlive
            owner?.returned(part)
        case .body: owner?.returned(part)
        case .end:
            guard isAnswered, let owner, case .connected(let connection) = phase else { return }
            guard isSent, isKept else {
                cancel()
                return owner.returned(part)
            }
            phase = .finished
            self.owner = nil
            connection.upstream = nil
            owner.isFree(connection)
            owner.returned(part)
        }
    }

    func writabilityChanged(_ writable: Bool) { owner?.readMore(writable) }

    func failed(_ error: any Error) {
        if case .finished = phase { return }
        let owner = self.owner
        cancel()
        owner?.upstreamFailed(error, answered: isAnswered)
    }
}
