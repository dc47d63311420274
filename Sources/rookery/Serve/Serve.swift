import API
import ArgumentParser
import ClaudeCode
import Confinement
import Foundation
import Gateway
import Images
import Logging
import NIOPosix
import Policy
import Registry
import ServiceLifecycle
import Supervisor
import UnixSignals

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the supervisor: sessions, API and page.",
        discussion: """
            Each flag has an environment variable (ROOKERY_ and the flag's name in capitals) and a key of the same name \
            in the configuration file; a flag goes before the environment, the environment before the file. Sessions \
            outlive the supervisor: the next one takes them over.
            """)

    @OptionGroup var options: ServeOptions
    /// Set by ``prepare()``.
    private var prepared: PreparedServer?

    private enum CodingKeys: CodingKey { case options }

    /// What must hold for every thread: root is given up, the process confined. To be called while there is one.
    mutating func prepare() throws {
        let options = options
        let inheritance = Inheritance.take()
        // Relative paths keep their meaning once this process has left the directory it was started in.
        let directory = FileManager.default.currentDirectoryPath
        prepared = try Self.explained {
            let configuration = try Self.configuration(options, in: directory)
            if options.check {
                try ServeCheck(configuration).run()
                throw CleanExit.message("rookery \(Version.current) can serve so")
            }
            if options.steward, inheritance == nil {
                throw ExitCode(try Steward(configuration, arguments: CommandLine.arguments).run())
            }
            return try PreparedServer(configuration, inheritance) {
                try Self.configuration(options, in: directory)
            }
        }
    }

    func run() async throws {
        guard let prepared else { throw Failure.refused("the server was not prepared") }
        do { try await serve(prepared) } catch { throw Self.explained(error) }
    }

    private static func explained<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch { throw explained(error) }
    }

    private static func explained(_ error: any Error) -> any Error {
        switch error {
        case let error as ConfigurationError: Failure.refused(error.description)
        case let error as ConfinementError: Failure.refused(error.description)
        case let error as RegistryError: Failure.refused(error.description)
        case let error as SupervisorError: Failure.refused(error.detail)
        case let error as FileFault: Failure.refused("\(error)")
        case let error as APIServerError: Failure.refused(error.description)
        case let error as SealingKey.Fault: Failure.refused(error.description)
        case let error as PriceList.Fault: Failure.refused(error.description)
        case let error as GatewayError: Failure.refused(error.description)
        default: error
        }
    }

    private static func configuration(
        _ options: ServeOptions, in directory: String
    ) throws(ConfigurationError) -> ServeConfiguration {
        var surroundings = Surroundings.current()
        surroundings.currentDirectory = directory
        let path = (options.config ?? surroundings.environment["ROOKERY_CONFIG"]).map(surroundings.absolute)
        let sources = SettingSources(
            flags: options.given, environment: surroundings.environment,
            file: try path.map { path throws(ConfigurationError) in try SettingSources.file(at: path) } ?? [:],
            filePath: path)
        return try ServeConfiguration(sources, surroundings: surroundings)
    }

    private func serve(_ prepared: PreparedServer) async throws {
        let configuration = prepared.configuration
        let logger = prepared.logger
        LauncherProcess.reap(prepared.launcher)
        let (registry, recovery) = try SessionRegistry.recovering(
            directory: configuration.stateDirectory,
            manifests: ManifestStore(stateDirectory: configuration.stateDirectory))
        let authentication: AuthenticationMode
        if configuration.authenticates {
            try await AdminToken.ensure(at: configuration.adminTokenFile, in: registry)
            authentication = .token
        } else {
            authentication = .none(try await registry.localAdmin())
        }
        let way = WayOut()
        let gatewaySocket = configuration.runtimeDirectory + "/gateway.sock"
        let egressSocket = configuration.runtimeDirectory + "/egress.sock"
        let secrets = SecretVault(
            registry: registry, key: prepared.sealingKey,
            files: configuration.toolSecrets.map { ToolSecrets(directory: $0) }, logger: logger)
        let supervisor = try SessionSupervisor(
            configuration: SupervisorConfiguration(
                stateDirectory: configuration.stateDirectory, runtimeDirectory: configuration.runtimeDirectory,
                startCommand: configuration.startCommand, claudeBinary: configuration.claudeBinary,
                policies: prepared.policies, images: ImageStore(directory: configuration.images),
                idleTimeout: configuration.idleTimeout, maxSessions: configuration.maxSessions,
                maxMemory: configuration.maxMemory, gatewaySocket: gatewaySocket,
                egressSocket: egressSocket,
                secrets: secrets),
            registry: registry, launcher: LauncherClient(descriptor: prepared.control),
            group: MultiThreadedEventLoopGroup.singleton, logger: logger, recovery: recovery,
            process: SupervisorProcess(
                version: Version.current, workerProgram: "\(configuration.libexecDirectory)/rookery-worker",
                last: prepared.inheritance?.last,
                successor: prepared.steward.map { link in
                    Successor { () async throws(SupervisorError) in
                        try await link.replace()
                        way.leave()
                    }
                }))
        guard let upstream = UpstreamURL(parsing: configuration.modelUpstream) else {
            throw ConfigurationError("'\(configuration.modelUpstream)' is not where a model can be")
        }
        let cutOff = try await registry.closeInterruptedRequests()
        if cutOff > 0 { logger.notice("model requests were cut off by the last end", metadata: ["count": "\(cutOff)"]) }
        let vault = CredentialVault(
            registry: registry, key: prepared.sealingKey, upstream: upstream, sharedKey: prepared.modelKey,
            logger: logger)
        let budgets = BudgetKeeper(registry: registry, enforcement: supervisor, logger: logger)
        let bodies = PolicyBodies(registry, policies: prepared.policies, logger: logger)
        let speaksFor = { @Sendable [workers = supervisor.workers] in workers.mayServe($0, $1) }
        let gateway = ModelGateway(
            configuration: GatewayConfiguration(
                socketPath: gatewaySocket, formerPlaceholder: SessionEnvironment.formerPlaceholder,
                sharing: configuration.sharing, speaksFor: speaksFor
            ) { SessionEnvironment.placeholder(for: $0.uuidString.lowercased()) },
            access: vault, budget: budgets, ledger: RegistryLedger(registry, budgets: budgets),
            bodies: bodies, prices: prepared.prices, logger: logger)
        let egress = EgressGateway(
            socketPath: egressSocket, authority: supervisor, logger: logger, speaksFor: speaksFor)
        var face = APIConfiguration(
            listeners: configuration.listeners, authentication: authentication, tls: configuration.tls,
            allowedHosts: configuration.allowedHosts, allowedOrigins: configuration.allowedOrigins,
            site: configuration.site, vendor: configuration.vendor)
        face.dedicated = configuration.dedicated
        face.bound = prepared.boundListeners
        face.transcription = configuration.transcriptionURL.map {
            TranscriptionUpstream(url: $0, key: prepared.transcriptionKey)
        }
        let server = try APIServer(
            face, sessions: supervisor, tokens: RegistryTokens(registry),
            usage: RegistryUsage(
                registry, gateway: gateway, upstream: upstream.description, egress: egress.counters),
            credentials: vault, secrets: secrets, budgets: budgets, shares: RegistryShares(registry),
            remote: registry, logger: logger
        ) { listeners in
            Announcement(
                listeners: listeners, tokenFile: configuration.authenticates ? configuration.adminTokenFile : nil
            )
            .print()
            prepared.steward?.sayUp()
        }
        try await supervisor.start()
        await budgets.start()
        let group = Self.group(
            gateway, egress, server,
            SupervisorService(supervisor: supervisor) { configuration.stopSessions && !way.isTaken },
            ReloadService(
                supervisor: supervisor, bodies: bodies, log: prepared.log, logger: logger, reread: prepared.reread),
            RegistryUpkeepService(supervisor: supervisor))
        way.open { await group.triggerGracefulShutdown() }
        prepared.steward?.listen {
            logger.warning("the steward has gone: this supervisor ends, sessions go on")
            way.leave()
        }
        try await group.run()
        withExtendedLifetime(prepared.lock) {}
    }

    private static func group(
        _ gateway: ModelGateway, _ egress: EgressGateway, _ server: APIServer, _ supervisor: SupervisorService,
        _ reload: ReloadService,
        _ upkeep: RegistryUpkeepService
    ) -> ServiceGroup {
        // At debug it would print every service with all that it holds.
        var logger = Logger(label: "rookery.services")
        logger.logLevel = .warning
        // Shut down in reverse: the API first, so that nobody starts anything, the gateway last.
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: gateway), .init(service: egress), .init(service: supervisor), .init(service: reload),
                .init(service: upkeep),
                .init(service: server, successTerminationBehavior: .gracefullyShutdownGroup),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(60)
        configuration.maximumCancellationDuration = .seconds(5)
        return ServiceGroup(configuration: configuration)
    }
}
