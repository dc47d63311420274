import ClaudeCode
import Glibc
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import SessionCore

/// What is told to the worker itself, on the sandbox's listener.
enum SandboxReport {
    /// A hook's, of the event of that name.
    case hook(Substring)
    /// A message to the session's MCP server.
    case channel

    /// nil: the path is somebody else's.
    init?(path: Substring) {
        if path.hasPrefix("/hook/") {
            self = .hook(path.dropFirst(6))
        } else if path == ChannelServer.path {
            self = .channel
        } else {
            return nil
        }
    }
}

/// The one door of the sandbox: a listening socket on its loopback. Hooks' reports and messages to the session's MCP
/// server end here, everything else goes on to the gateway: the model API's requests one by one, the proxy's connections
/// as they are. Whoever connects is the tenant: everything is bounded.
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
    /// Takes a report, and answers it some time.
    let onReport: (_ report: SandboxReport, _ body: ByteBuffer, _ call: HookCall) -> Void
    /// Takes an event stream of the session's MCP server; nil: there is none.
    let onStream: ((_ stream: EventStream) -> Void)?
    let kept = KeptConnections()
    private var connections = 0
    var hookBytes = 0
    /// Of connections to the proxy.
    var pace = ConnectionPace()

    init(
        sessionID: SessionID, gatewaySocket: String, egressSocket: String?, logger: Logger,
        onReport: @escaping (_ report: SandboxReport, _ body: ByteBuffer, _ call: HookCall) -> Void,
        onStream: ((_ stream: EventStream) -> Void)?
    ) {
        self.sessionID = sessionID
        self.gatewaySocket = gatewaySocket
        self.egressSocket = egressSocket
        self.logger = logger
        self.onReport = onReport
        self.onStream = onStream
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
