import Glibc
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import SessionCore

/// The one door of the sandbox: a listening socket on its loopback. Hook reports end here, everything else goes on
/// to the gateway: the model API's requests one by one, the proxy's connections as they are. Whoever connects is the
/// tenant: everything is bounded.
final class SandboxListener {
    /// More connections at once than a CLI with all its tools makes.
    static let mostConnections = 128

    /// Bytes of hooks' bodies held at once, over all connections.
    static let mostHookBytes = 8 << 20

    let sessionID: SessionID
    let gatewaySocket: String
    /// nil: nothing is let out.
    let egressSocket: String?
    let logger: Logger
    /// Takes a hook's report, and answers it some time.
    let onHook: (_ event: Substring, _ body: ByteBuffer, _ call: HookCall) -> Void
    private var connections = 0
    var hookBytes = 0
    /// Of connections to the proxy.
    var pace = ConnectionPace()

    init(
        sessionID: SessionID, gatewaySocket: String, egressSocket: String?, logger: Logger,
        onHook: @escaping (_ event: Substring, _ body: ByteBuffer, _ call: HookCall) -> Void
    ) {
        self.sessionID = sessionID
        self.gatewaySocket = gatewaySocket
        self.egressSocket = egressSocket
        self.logger = logger
        self.onHook = onHook
    }

    /// Takes the socket over; it listens already.
    func listen(on socket: Int32, loop: any EventLoop) -> EventLoopFuture<any Channel> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        return ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 128)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 64 * 1024, high: 256 * 1024))
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try bound.value.accept(channel) }
            }
            .withBoundSocket(socket)
    }

    private func accept(_ channel: any Channel) throws {
        guard connections < Self.mostConnections else {
            throw SystemCallError("too many connections from the sandbox", errno: EMFILE)
        }
        connections += 1
        let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
        channel.closeFuture.whenComplete { _ in bound.value.connections -= 1 }
        try channel.pipeline.syncOperations.addHandler(ProxyGate(listener: self))
    }

    /// For a connection that asks nothing of the proxy.
    func serve(_ channel: any Channel) throws {
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: true)
        try channel.pipeline.syncOperations.addHandler(SandboxConnection(listener: self))
    }
}
