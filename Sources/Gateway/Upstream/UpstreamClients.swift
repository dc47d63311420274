import AsyncHTTPClient
import Logging
import NIOCore

/// The connections to upstreams, shared by all sessions: a pool for each event loop, so that a request and its answer stay
/// on the loop that its worker's connection is on.
struct UpstreamClients: Sendable {
    private let clients: [ObjectIdentifier: HTTPClient]

    init(_ group: any EventLoopGroup, logger: Logger) {
        var clients: [ObjectIdentifier: HTTPClient] = [:]
        for loop in group.makeIterator() {
            clients[ObjectIdentifier(loop)] = HTTPClient(
                eventLoopGroupProvider: .shared(loop), configuration: Self.configuration,
                backgroundActivityLogger: logger)
        }
        self.clients = clients
    }

    /// - Parameter loop: one of the group's.
    func client(on loop: any EventLoop) -> HTTPClient {
        guard let client = clients[ObjectIdentifier(loop)] else {
            preconditionFailure("a connection is on a loop of another group")
        }
        return client
    }

    func shutdown() async throws {
        for client in clients.values { try await client.shutdown() }
    }

    private static var configuration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        // Connection and handshake; the wait for the first byte and every silence after it; a body that is not taken.
        configuration.timeout = .init(connect: .seconds(10), read: .minutes(10), write: .minutes(2))
        // One connection is busy as long as an answer streams: as many as sessions can have at once.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 4096
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }
}
