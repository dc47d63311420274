import Foundation
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle
import Synchronization

/// The sandboxes' way to the model API: takes requests from workers on a Unix socket, adds the credential that no
/// sandbox ever holds, and streams the answer back.
public final class ModelGateway: Service {
    private let configuration: GatewayConfiguration
    private let access: any ModelAccess
    private let budget: any ModelBudget
    private let ledger: any ModelRequestLedger
    private let bodies: any BodyPolicy
    private let prices: PriceList
    private let logger: Logger
    private let listening = Atomic(false)
    public let counters = GatewayCounters()
    public let health = UpstreamHealth()
    private let turnstile: Turnstile

    public init(
        configuration: GatewayConfiguration, access: any ModelAccess, budget: any ModelBudget = NoBudget(),
        ledger: any ModelRequestLedger, bodies: any BodyPolicy = NoBodies(), prices: PriceList, logger: Logger
    ) {
        self.configuration = configuration
        turnstile = Turnstile(configuration.sharing)
        self.access = access
        self.budget = budget
        self.ledger = ledger
        self.bodies = bodies
        self.prices = prices
        self.logger = logger
    }

    /// Messages that are asked now, and those that wait for their turn.
    public var load: (running: Int, waiting: Int) { turnstile.counts }

    /// Whether requests are accepted now.
    public var isListening: Bool { listening.load(ordering: .acquiring) }

    /// Serves until graceful shutdown.
    ///
    /// - Throws: ``GatewayError`` when it cannot listen.
    public func run() async throws {
        let path = configuration.socketPath
        try await claimSocketPath(path)
        let group = MultiThreadedEventLoopGroup.singleton
        let clients = UpstreamClients(group, logger: logger)
        let exchange = Exchange(
            clients: clients, access: access, budget: budget,
            meter: RequestMeter(ledger: ledger, prices: prices, counters: counters), bodies: BodyAllowance(),
            bodyPolicy: bodies, turnstile: turnstile, health: health, configuration: configuration, logger: logger)
        let bound = Mutex<SocketIdentity?>(nil)
        let server = GatewayChannel(exchange: exchange).server(
            configuration: ServerConfiguration(address: .unixDomainSocket(path: path)),
            onServerRunning: { [self] _ in
                // Only our own workers connect: the umask narrows it before, this makes sure.
                chmod(path, 0o600)
                bound.withLock { $0 = SocketIdentity(path) }
                listening.store(true, ordering: .releasing)
                logger.info("gateway listens", metadata: ["socket": "\(path)"])
            },
            eventLoopGroup: group, logger: logger)
        do {
            try await server.run()
        } catch {
            listening.store(false, ordering: .releasing)
            try? await clients.shutdown()
            throw GatewayError(description: "the gateway cannot listen on \(path): \(error)")
        }
        listening.store(false, ordering: .releasing)
        // A successor may have bound the path already: its socket stays.
        if let own = bound.withLock({ $0 }), SocketIdentity(path) == own { unlink(path) }
        try await clients.shutdown()
    }
}
