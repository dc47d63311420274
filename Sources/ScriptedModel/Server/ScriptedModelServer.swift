import HTTPTypes
public import Hummingbird
public import Logging
import NIOCore

/// The offline model API: an HTTP server whose answers ``Script`` decides.
public struct ScriptedModelServer: Sendable {
    private let address: ListenAddress
    private let log: RequestLog?
    private let desk: TokenDesk?
    private let logger: Logger

    /// - Parameters:
    ///   - log: where to note each request; nil notes nothing.
    ///   - desk: who gives the tokens that alone are taken, at `POST /oauth/token`; nil takes whatever comes.
    public init(address: ListenAddress, log: RequestLog? = nil, desk: TokenDesk? = nil, logger: Logger) {
        self.address = address
        self.log = log
        self.desk = desk
        self.logger = logger
    }

    /// The server as a service.
    ///
    /// - Parameter onListening: called once with `http://host:port` or `unix:/path` when connections are accepted.
    public func application(
        onListening: @escaping @Sendable (String) async -> Void
    ) -> some ApplicationProtocol {
        let routes = ModelRoutes(log: log, desk: desk)
        return Application(
            responder: CallbackResponder { (request: Request, _: BasicRequestContext) in
                await routes.respond(to: request)
            },
            configuration: .init(address: address.bindAddress),
            onServerRunning: { [address] channel in await onListening(address.url(of: channel)) },
            logger: logger)
    }
}

extension ListenAddress {
    /// The address as a client writes it, with the port the kernel chose.
    func url(of channel: any Channel) -> String {
        switch self {
        case .unix(let path): "unix:\(path)"
        case .tcp(let host, let port):
            "http://\(host.contains(":") ? "[\(host)]" : host):\(channel.localAddress?.port ?? port)"
        }
    }
}
