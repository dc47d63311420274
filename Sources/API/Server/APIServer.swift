import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
public import Logging
import NIOCore
import NIOPosix
import NIOSSL
public import Registry
public import ServiceLifecycle
import Supervisor
import WorkerControl

/// The supervisor's face to the network: every listener, with the same routes behind each.
///
/// A service: runs until its task is cancelled or its service group shuts down; then it takes no further
/// connection, ends event streams and WebSockets, lets answers that are being written go out, and is done within
/// five seconds. Sessions are not touched.
public struct APIServer: Service {
    private let configuration: APIConfiguration
    private let routes: APIRoutes
    private let upgrades: UpgradeRouter
    private let tls: TLSConfiguration?
    private let logger: Logger
    var timeouts = ConnectionTimeouts()
    private let onListening: @Sendable ([BoundListener]) async -> Void

    /// - Parameters:
    ///   - secrets: where secrets for tools are kept; nil: there are none.
    ///   - shares: where share links are written down; nil: there are none.
    ///   - remote: where devices that dial in are written down; nil: none may.
    ///   - onListening: called once when every listener accepts connections, in the order of the
    ///     configuration.
    /// - Throws: ``APIServerError`` for a configuration that cannot work.
    public init(
        _ configuration: APIConfiguration, sessions: any SessionService, tokens: any TokenService,
        usage: any UsageService, credentials: any CredentialService,
        secrets: (any SecretService)? = nil, budgets: any BudgetService, shares: (any ShareService)? = nil,
        remote: SessionRegistry? = nil, logger: Logger,
        onListening: @escaping @Sendable ([BoundListener]) async -> Void = { _ in }
    ) throws(APIServerError) {
        guard !configuration.listeners.isEmpty else { throw .noListeners }
        if case .none = configuration.authentication,
            let open = configuration.allListeners.map(\.listener).first(where: { !$0.isLocal })
        {
            throw .openWithoutAuthentication(open)
        }
        for case .unix(let path) in configuration.allListeners.map(\.listener) where path.utf8.count > 107 {
            throw .pathTooLong(path: path, bytes: path.utf8.count)
        }
        self.configuration = configuration
        self.logger = logger
        self.onListening = onListening
        tls = try configuration.tls.map { files throws(APIServerError) in try Self.tls(files) }
        let authenticator = Authenticator(
            mode: configuration.authentication, tokens: tokens, shares: shares,
            origins: OriginPolicy(
                listeners: configuration.allListeners.map(\.listener), allowedHosts: configuration.allowedHosts,
                allowedOrigins: configuration.allowedOrigins))
        let streams = RemoteStreams(sessions)
        let sessions = SessionsElsewhere(base: sessions, streams: streams)
        let dialects = DialectHubs(
            sessions: sessions, authenticator: authenticator, remote: remote, streams: streams)
        routes = APIRoutes(
            sessions: sessions, tokens: tokens, usage: usage, credentials: credentials, secrets: secrets,
            budgets: budgets, authenticator: authenticator, shares: shares, dialects: dialects,
            site: try StaticSite(directory: configuration.site, vendor: configuration.vendor),
            secure: configuration.tls != nil,
            transcription: configuration.transcription.map { TranscriptionProxy($0) })
        upgrades = UpgradeRouter(
            sessions: sessions, authenticator: authenticator, dialects: dialects, logger: logger)
    }

    /// Whether certificate and key can be used.
    public static func check(_ files: TLSFiles) throws(APIServerError) { _ = try tls(files) }

    private static func tls(_ files: TLSFiles) throws(APIServerError) -> TLSConfiguration {
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(files.certificate).map(NIOSSLCertificateSource.certificate)
            let key = try NIOSSLPrivateKey(file: files.key, format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["http/1.1"]
            // Finds a key that does not belong to the certificate now rather than at the first connection.
            _ = try NIOSSLContext(configuration: configuration)
            return configuration
        } catch {
            throw .badCertificate(files, reason: "\(error)")
        }
    }

    /// The routes alone, for tests without sockets.
    var application: some ApplicationProtocol {
        Application(router: routes.router(logger: logger), logger: logger)
    }

    public func run() async throws {
        let health = HealthResponder(hub: routes.dialects.claudeSocket, origins: routes.authenticator.origins)
        let all = configuration.allListeners
        let bound = BoundListeners(count: all.count)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for (index, dedicated) in all.enumerated() {
                let listener = dedicated.listener
                let isBound = configuration.bound[listener] != nil
                if !isBound { try prepare(listener) }
                let onServerRunning: @Sendable (any Channel) -> Void = { channel in
                    bound.add(describe(listener, channel), at: index)
                    if !isBound, case .unix(let path) = listener, let file = SocketFile(path) {
                        channel.closeFuture.whenComplete { _ in file.remove() }
                    }
                }
                group.addTask {
                    if dedicated.face == .claudeSocket {
                        try await serve(dedicated, health, onServerRunning: onServerRunning)
                    } else {
                        var routes = routes
                        routes.face = dedicated.face
                        let responder = routes.router(logger: logger).buildResponder()
                        try await serve(dedicated, responder, onServerRunning: onServerRunning)
                    }
                    return true
                }
            }
            group.addTask {
                await bound.complete()
                let listeners = bound.all
                // Cancelled, because a listener failed, when some are missing.
                if listeners.count == all.count { await onListening(listeners) }
                return false
            }
            // A listener ends by a shutdown, which ends them all, or by an error, which throws here and cancels the rest.
            var running = all.count
            while let ended = try await group.next() {
                if ended { running -= 1 }
                if running == 0 { group.cancelAll() }
            }
        }
    }

    private func serve(
        _ dedicated: DedicatedListener, _ responder: some HTTPResponder<APIContext>,
        onServerRunning: @escaping @Sendable (any Channel) -> Void
    ) async throws {
        let address: BindAddress
        let listener = dedicated.listener
        var upgrades = upgrades
        upgrades.face = dedicated.face
        if let socket = configuration.bound[listener] {
            return try await serve(listener, on: socket, responder, upgrades, onServerRunning: onServerRunning)
        }
        let timeouts = timeouts
        var server = HTTPServerBuilder { [upgrades] responder in
            ClientConnection(responder: responder, upgrades: upgrades, timeouts: timeouts)
        }
        switch listener {
        case .tcp(let host, let port):
            address = .hostname(host, port: port)
            if let tls { server = try .tls(server, tlsConfiguration: tls) }
        case .unix(let path): address = .unixDomainSocket(path: path)
        }
        // Hummingbird reports every cancelled connection as an error; what matters is logged here and in the routes.
        var quiet = logger
        quiet.logLevel = .critical
        let application = Application(
            responder: responder, server: server,
            configuration: ApplicationConfiguration(
                address: address,
                availableConnectionsDelegate: MaximumAvailableConnections(
                    configuration.mostConnections, logger: logger)),
            onServerRunning: { channel in onServerRunning(channel) }, logger: quiet)
        do {
            try await application.run()
        } catch {
            throw Self.explain(error, listener)
        }
    }

    /// Serves on a socket that somebody else has bound and keeps.
    private func serve(
        _ listener: APIListener, on socket: Int32, _ responder: some HTTPResponder<APIContext>,
        _ upgrades: UpgradeRouter, onServerRunning: @escaping @Sendable (any Channel) -> Void
    ) async throws {
        let copy = fcntl(socket, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else {
            throw APIServerError.cannotListen(listener, errno: errno, reason: String(cString: strerror(errno)))
        }
        var quiet = logger
        quiet.logLevel = .critical
        let connection = ClientConnection(
            responder: answerer(responder, quiet), upgrades: upgrades, timeouts: timeouts)
        let most = configuration.mostConnections
        do {
            if case .tcp = listener, let tls {
                try await ListeningServer(
                    descriptor: copy, child: TLSChannel(connection, tlsConfiguration: tls), mostConnections: most,
                    logger: quiet
                ).run(onServerRunning: onServerRunning)
            } else {
                try await ListeningServer(descriptor: copy, child: connection, mostConnections: most, logger: quiet)
                    .run(onServerRunning: onServerRunning)
            }
        } catch { throw Self.explain(error, listener) }
    }

    /// Now, as HTTP writes it (RFC 9110, 5.6.7).
    private static func date() -> String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(days[Int(parts.tm_wday)]), \(padded(parts.tm_mday)) \(months[Int(parts.tm_mon)]) "
            + "\(parts.tm_year + 1900) \(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec)) GMT"
    }

    /// What Hummingbird's application does for each request.
    private func answerer(
        _ responder: some HTTPResponder<APIContext>, _ logger: Logger
    ) -> HTTPChannelHandler.Responder {
        { (request, writer: consuming ResponseWriter, channel) in
            let context = APIContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
            var response: Response
            do { response = try await responder.respond(to: request, context: context) } catch {
                response = Response(status: .internalServerError)
            }
            response.headers[.date] = Self.date()
            try await writer.write(response: response.head, body: response.body)
        }
    }

    /// A socket file that nobody listens on is left over from a crash and may go; one that answers is in use.
    private func prepare(_ listener: APIListener) throws(APIServerError) {
        guard case .unix(let path) = listener else { return }
        if UnixSocketProbe.answers(path) { throw .addressInUse(listener) }
    }

    private func describe(_ listener: APIListener, _ channel: any Channel) -> BoundListener {
        switch listener {
        case .tcp(let host, let port):
            let actual = APIListener.tcp(host: host, port: channel.localAddress?.port ?? port)
            return BoundListener(listener: actual, url: "\(tls == nil ? "http" : "https")://\(actual)")
        case .unix(let path):
            if configuration.bound[listener] == nil { chmod(path, mode_t(configuration.unixSocketMode)) }
            return BoundListener(listener: listener, url: "unix:\(path)")
        }
    }

    private static func explain(_ error: any Error, _ listener: APIListener) -> any Error {
        switch error {
        case let error as IOError where error.errnoCode == EADDRINUSE: APIServerError.addressInUse(listener)
        case let error as IOError:
            APIServerError.cannotListen(
                listener, errno: error.errnoCode, reason: String(cString: strerror(error.errnoCode)))
        case is UnixDomainSocketPathWrongType:
            APIServerError.cannotListen(listener, errno: EEXIST, reason: "the path exists and is not a socket")
        case let error as SocketAddressError:
            APIServerError.cannotListen(listener, errno: 0, reason: "\(error)")
        default: error
        }
    }
}
