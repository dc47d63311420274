import API
import ArgumentParser
import Foundation
import Gateway
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

    func run() async throws {
        do {
            try await serve(try configuration())
        } catch let error as ConfigurationError {
            throw Failure.refused(error.description)
        } catch let error as RegistryError {
            throw Failure.refused(error.description)
        } catch let error as SupervisorError {
            throw Failure.refused(error.detail)
        } catch let error as PolicyError {
            throw Failure.refused("\(error)")
        } catch let error as APIServerError {
            throw Failure.refused(error.description)
        }
    }

    private func configuration() throws(ConfigurationError) -> ServeConfiguration {
        let surroundings = Surroundings.current()
        let path = options.config ?? surroundings.environment["ROOKERY_CONFIG"]
        let sources = SettingSources(
            flags: options.given, environment: surroundings.environment,
            file: try path.map { path throws(ConfigurationError) in try SettingSources.file(at: path) } ?? [:],
            filePath: path)
        return try ServeConfiguration(sources, surroundings: surroundings)
    }

    /// The order matters: what needs root comes first, then root is given up for good, and only then is anything
    /// read that another process wrote.
    private func serve(_ configuration: ServeConfiguration) async throws {
        let logger = Self.logger(configuration)
        umask(0o077)
        let modelKey = try configuration.modelKeyFile.map { path throws(ConfigurationError) in
            try Self.key(at: path)
        }
        let policies = try PolicyStore(directory: configuration.policies)
        let user = try configuration.serviceUser.map { name throws(ConfigurationError) in
            try ServiceUser(named: name)
        }
        try Self.prepareDirectories(configuration, user)
        let control = try LauncherProcess.start(configuration, user: user)
        try user?.become()

        let registry = try SessionRegistry(directory: configuration.stateDirectory)
        let authentication: AuthenticationMode
        if configuration.authenticates {
            try await AdminToken.ensure(at: configuration.adminTokenFile, in: registry)
            authentication = .token
        } else {
            authentication = .none(try await registry.localAdmin())
        }
        let gatewaySocket = configuration.runtimeDirectory + "/gateway.sock"
        let supervisor = try SessionSupervisor(
            configuration: SupervisorConfiguration(
                stateDirectory: configuration.stateDirectory, runtimeDirectory: configuration.runtimeDirectory,
                startCommand: configuration.startCommand, claudeBinary: configuration.claudeBinary,
                policies: policies, idleTimeout: configuration.idleTimeout, maxSessions: configuration.maxSessions,
                maxMemory: configuration.maxMemory, gatewaySocket: gatewaySocket),
            registry: registry, launcher: LauncherClient(descriptor: control),
            group: MultiThreadedEventLoopGroup.singleton, logger: logger)
        let gateway = ModelGateway(
            configuration: GatewayConfiguration(
                socketPath: gatewaySocket, upstream: configuration.modelUpstream, apiKey: modelKey),
            logger: logger)
        let server = try APIServer(
            APIConfiguration(
                listeners: configuration.listeners, authentication: authentication, tls: configuration.tls,
                site: configuration.site, vendor: configuration.vendor),
            sessions: supervisor, tokens: RegistryTokens(registry), logger: logger
        ) { listeners in
            Announcement(
                listeners: listeners, tokenFile: configuration.authenticates ? configuration.adminTokenFile : nil
            )
            .print()
        }
        try await supervisor.start()
        try await Self.group(
            gateway, server, SupervisorService(supervisor: supervisor, stopsSessions: configuration.stopSessions),
            logger
        ).run()
    }

    private static func group(
        _ gateway: ModelGateway, _ server: APIServer, _ supervisor: SupervisorService, _ logger: Logger
    ) -> ServiceGroup {
        // At debug it would print every service with all that it holds.
        var logger = logger
        logger.logLevel = max(logger.logLevel, .info)
        // Shut down in reverse: the API first, so that nobody starts anything, the gateway last.
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: gateway), .init(service: supervisor),
                .init(service: server, successTerminationBehavior: .gracefullyShutdownGroup),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(60)
        configuration.maximumCancellationDuration = .seconds(5)
        return ServiceGroup(configuration: configuration)
    }

    private static func logger(_ configuration: ServeConfiguration) -> Logger {
        let json = configuration.logsJSON
        LoggingSystem.bootstrap { label -> any LogHandler in
            if json { return JSONLogHandler(label: label) }
            return StreamLogHandler.standardError(label: label)
        }
        var logger = Logger(label: "rookery")
        logger.logLevel = configuration.logLevel
        return logger
    }

    private static func prepareDirectories(
        _ configuration: ServeConfiguration, _ user: ServiceUser?
    ) throws(ConfigurationError) {
        // Others may pass, not look: the launcher's session directories below have owners of their own.
        for (directory, mode) in [
            (configuration.stateDirectory, mode_t(0o711)), (configuration.runtimeDirectory, mode_t(0o711)),
        ] {
            if let user {
                try user.own(directory: directory, mode: mode)
            } else {
                try makeDirectory(directory, mode: mode)
            }
        }
    }

    private static func key(at path: String) throws(ConfigurationError) -> String {
        guard let data = FileManager.default.contents(atPath: path), data.count <= 64 << 10 else {
            throw ConfigurationError("--model-key-file \(path) cannot be read")
        }
        let key = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !key.isEmpty, key.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw ConfigurationError("--model-key-file \(path) must hold the key alone, on one line")
        }
        return key
    }
}
