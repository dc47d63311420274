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
            let options = options
            // Relative paths keep their meaning once this process has left the directory it was started in.
            let directory = FileManager.default.currentDirectoryPath
            try await serve(try Self.configuration(options, in: directory)) {
                try Self.configuration(options, in: directory)
            }
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
        } catch let error as GatewayError {
            throw Failure.refused(error.description)
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

    /// The order matters: what needs root comes first, then root is given up for good, and only then is anything
    /// read that another process wrote.
    private func serve(
        _ configuration: ServeConfiguration, reread: @escaping @Sendable () throws -> ServeConfiguration
    ) async throws {
        let log = ServerLog.Output(level: configuration.logLevel, format: configuration.logsJSON ? .json : .text)
        LoggingSystem.bootstrap { ServerLog(label: $0, output: log) }
        let logger = Logger(label: "rookery")
        Self.prepareProcess()
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
        let lock = try RuntimeLock(directory: configuration.runtimeDirectory)
        if !FileManager.default.isExecutableFile(atPath: configuration.claudeBinary) {
            logger.warning(
                "Claude Code is missing: sessions that need it will not start",
                metadata: [
                    "path": "\(configuration.claudeBinary)", "remedy": "run Scripts/setup, or use --claude-binary",
                ])
        }

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
                allowedHosts: configuration.allowedHosts, allowedOrigins: configuration.allowedOrigins,
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
            ReloadService(supervisor: supervisor, log: log, logger: logger, reread: reread)
        ).run()
        withExtendedLifetime(lock) {}
    }

    /// Leaves no file for others, holds no directory, and may have a descriptor for every client.
    private static func prepareProcess() {
        umask(0o077)
        chdir("/")
        var files = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 {
            files.rlim_cur = files.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        }
    }

    private static func group(
        _ gateway: ModelGateway, _ server: APIServer, _ supervisor: SupervisorService, _ reload: ReloadService
    ) -> ServiceGroup {
        // At debug it would print every service with all that it holds.
        var logger = Logger(label: "rookery.services")
        logger.logLevel = .warning
        // Shut down in reverse: the API first, so that nobody starts anything, the gateway last.
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: gateway), .init(service: supervisor), .init(service: reload),
                .init(service: server, successTerminationBehavior: .gracefullyShutdownGroup),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(60)
        configuration.maximumCancellationDuration = .seconds(5)
        return ServiceGroup(configuration: configuration)
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
