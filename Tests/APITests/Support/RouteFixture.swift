import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Registry
import SessionCore

@testable import API

/// A server for its routes, without sockets.
struct RouteFixture {
    let sessions = FakeSessions()
    let tokens = FakeTokens()
    var mode = AuthenticationMode.token

    func run(_ body: @Sendable @escaping (any TestClientProtocol, FakeSessions) async throws -> Void) async throws {
        let server = try APIServer(
            APIConfiguration(listeners: [.tcp(host: "127.0.0.1", port: 0)], authentication: mode),
            sessions: sessions, tokens: tokens, usage: FakeUsage(), credentials: FakeCredentials(),
            secrets: FakeSecrets(), budgets: FakeBudgets(), logger: .silent)
        try await server.application.test(.router) { try await body($0, sessions) }
    }

    static func bearer(_ role: Role = .admin) -> HTTPFields {
        [.authorization: "Bearer \(FakeTokens.token(role))", .contentType: "application/json"]
    }

    static func json(_ response: TestResponse) throws -> JSONValue { try JSONReader.parse(response.body) }
}

extension TestClientProtocol {
    func send(
        _ method: HTTPRequest.Method, _ uri: String, _ body: String?, _ role: Role
    ) async throws -> TestResponse {
        try await executeRequest(
            uri: uri, method: method, headers: RouteFixture.bearer(role), body: body.map { ByteBuffer(string: $0) })
    }
}
