public import Foundation
public import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle
import Synchronization

/// The sandboxes' way to the world: a proxy (CONNECT, and plain HTTP in absolute form) that lets out what a session's
/// policy allows and nothing else. Takes connections from workers on a Unix socket. A worker begins each with a line that
/// names its session, and passes on what the sandbox sends.
public final class EgressGateway: Service {
    private let socketPath: String
    private let logger: Logger
    private let gate: EgressGate

    /// - Parameter speaksFor: whether a process may speak for a session: its own worker may.
    public init(
        socketPath: String, authority: any EgressAuthority, logger: Logger,
        speaksFor: @escaping @Sendable (pid_t?, UUID) -> Bool
    ) {
        self.socketPath = socketPath
        self.logger = logger
        let standIns = StandIns.ofEnvironment
        if !standIns.isEmpty {
            logger.warning("hosts have stand-ins: for tests only", metadata: ["hosts": "\(standIns.keys.sorted())"])
        }
        // Without authorities nothing can be secured, and everything else can.
        let tls = try? ServerTLS(roots: StandIns.roots)
        if tls == nil { logger.error("no TLS to hosts: the system's certificates cannot be read") }
        gate = EgressGate(
            authority: authority, resolver: SystemResolver(threads: NameLookups.Bounds().together), standIns: standIns,
            tls: tls, logger: logger,
            speaksFor: speaksFor)
    }

    /// For tests of the gateway alone.
    init(socketPath: String, gate: EgressGate, logger: Logger) {
        self.socketPath = socketPath
        self.gate = gate
        self.logger = logger
    }

    public var counters: EgressCounters { gate.counters }

    /// Connections of a session now.
    public func connections(of session: UUID) -> Int { gate.books.connections(of: session) }

    /// Serves until graceful shutdown.
    ///
    /// - Throws: ``GatewayError`` when it cannot listen.
    public func run() async throws {
        try await claimSocketPath(socketPath)
        let gate = gate
        let server: any Channel
        do {
            server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .serverChannelOption(.backlog, value: 256)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelOption(.maxMessagesPerRead, value: 4)
                .childChannelOption(.writeBufferWaterMark, value: .init(low: 64 << 10, high: 256 << 10))
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(EgressConnection(gate: gate))
                    }
                }
                .bind(unixDomainSocketPath: socketPath).get()
        } catch {
            throw GatewayError(description: "the gateway cannot listen on \(socketPath): \(error)")
        }
        // Only our own workers connect: the umask narrows it before, this makes sure.
        chmod(socketPath, 0o600)
        let own = SocketIdentity(socketPath)
        logger.info("egress listens", metadata: ["socket": "\(socketPath)"])
        await cancelWhenGracefulShutdown {
            // What moves in the last second before a crash is not counted.
            while (try? await Task.sleep(for: .seconds(1))) != nil { await gate.keepBooks() }
        }
        try? await server.close().get()
        // A successor may have bound the path already: its socket stays.
        if let own, SocketIdentity(socketPath) == own { unlink(socketPath) }
        await Task { await gate.keepBooks() }.value
    }
}
