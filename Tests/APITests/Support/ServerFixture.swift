import Foundation
import Logging
import NIOCore
import Registry
import ServiceLifecycle
import SessionCore
import Supervisor

@testable import API

/// A temporary directory with a short path, because sockets' paths are short.
struct TemporaryDirectory {
    let path: String

    init() throws {
        path = "/tmp/ra-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}

extension Logger {
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// A running API server on a free port, with the control plane behind it.
struct ServerFixture: Sendable {
    let sessions: FakeSessions
    let tokens: FakeTokens
    let shares: FakeShares
    let port: Int
    let bound: [BoundListener]
    let group: ServiceGroup

    static let admin = Principal(tenantID: 1, userID: 1, name: "local", role: .admin, tokenID: nil)

    /// Runs `body` against a server, then shuts it down and waits for its end.
    @discardableResult
    static func run<Value: Sendable>(
        authentication: AuthenticationMode = .none(admin),
        listeners: [APIListener] = [.tcp(host: "127.0.0.1", port: 0)],
        dedicated: [DedicatedListener] = [], remote: SessionRegistry? = nil,
        timeouts: ConnectionTimeouts = ConnectionTimeouts(), tls: TLSFiles? = nil,
        _ body: @Sendable (ServerFixture) async throws -> Value
    ) async throws -> Value {
        let sessions = FakeSessions()
        let tokens = FakeTokens()
        let shares = FakeShares()
        let (stream, continuation) = AsyncStream<[BoundListener]>.makeStream()
        var configuration = APIConfiguration(listeners: listeners, authentication: authentication, tls: tls)
        configuration.dedicated = dedicated
        var server = try APIServer(
            configuration, sessions: sessions, tokens: tokens, usage: FakeUsage(), credentials: FakeCredentials(),
            budgets: FakeBudgets(), shares: shares,
            remote: remote, logger: .silent
        ) { continuation.yield($0) }
        server.timeouts = timeouts
        let group = ServiceGroup(configuration: .init(services: [server], logger: .silent))
        return try await withThrowingTaskGroup(of: Value?.self) { tasks in
            tasks.addTask {
                defer { continuation.finish() }
                try await group.run()
                return nil
            }
            var iterator = stream.makeAsyncIterator()
            guard let bound = await iterator.next() else {
                _ = try await tasks.next()
                throw CancellationError()
            }
            var port = 0
            if case .tcp(_, let actual) = bound[0].listener { port = actual }
            let fixture = ServerFixture(
                sessions: sessions, tokens: tokens, shares: shares, port: port, bound: bound, group: group)
            do {
                let value = try await body(fixture)
                await group.triggerGracefulShutdown()
                _ = try await tasks.next()
                return value
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
        }
    }
}
