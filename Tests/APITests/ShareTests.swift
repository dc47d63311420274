import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Registry
import SessionCore
import Testing
import WorkerControl

@testable import API

/// What a share link opens.
@Suite(.timeLimit(.minutes(2))) struct ShareTests {
    private func run(
        _ body: @Sendable @escaping (any TestClientProtocol, FakeSessions, FakeShares, APIRoutes) async throws -> Void
    ) async throws {
        let sessions = FakeSessions()
        let shares = FakeShares()
        let authenticator = Authenticator(
            mode: .token, tokens: FakeTokens(), shares: shares,
            origins: OriginPolicy(listeners: [], allowedHosts: [], allowedOrigins: []))
        let routes = APIRoutes(
            sessions: sessions, tokens: FakeTokens(), usage: FakeUsage(), credentials: FakeCredentials(),
            budgets: FakeBudgets(), authenticator: authenticator, shares: shares,
            dialects: DialectHubs(
                sessions: sessions, authenticator: authenticator, remote: nil, streams: RemoteStreams(sessions)),
            site: StaticSite(),
            secure: false)
        let server = try APIServer(
            APIConfiguration(listeners: [.tcp(host: "127.0.0.1", port: 0)], authentication: .token),
            sessions: sessions, tokens: FakeTokens(), usage: FakeUsage(), credentials: FakeCredentials(),
            budgets: FakeBudgets(), shares: shares, logger: .silent)
        try await server.application.test(.router) { try await body($0, sessions, shares, routes) }
    }

    private func send(
        _ client: any TestClientProtocol, _ method: HTTPRequest.Method, _ uri: String, _ token: String,
        _ body: String? = nil
    ) async throws -> TestResponse {
        try await client.executeRequest(
            uri: uri, method: method, headers: [.authorization: "Bearer \(token)", .contentType: "application/json"],
            body: body.map { ByteBuffer(string: $0) })
    }

    @Test func aLinkIsMadeListedAndRevoked() async throws {
        try await run { client, sessions, _, _ in
            let id = await sessions.add()
            let path = "/v1/sessions/\(id)/shares"
            let user = FakeTokens.token(.user)
            let made = try await send(client, .post, path, user, #"{"role":"approve","expires_in":"8h"}"#)
            #expect(made.status == .created)
            let document = try JSONReader.parse(made.body)
            #expect(document["path"]?.string == "/?id=\(id)#share=rs_approve_secret")
            let ends = try Date(try #require(document["expires_at"]?.string), strategy: .rookery)
            #expect(abs(ends.timeIntervalSinceNow - 8 * 3600) < 60)
            let list = try await send(client, .get, path, user)
            #expect(!String(buffer: list.body).contains("secret"))
            let first = try await send(client, .delete, "\(path)/approve", user)
            #expect(first.status == .noContent)
            let calls = await sessions.calls
            #expect(calls.contains("credentialChanged \(CredentialName.share("approve"))"))
            let again = try await send(client, .delete, "\(path)/nothing/else", user)
            #expect(again.status == .notFound)
            for body in [
                "{}", #"{"role":"own"}"#, #"{"role":"view","expires_in":"31d"}"#, #"{"role":"view","expires_in":"1s"}"#,
                #"{"role":"view","colour":"red"}"#, #"{"role":"view","name":"\u001b"}"#,
            ] {
                let answer = try await send(client, .post, path, user, body)
                #expect(answer.status == .unprocessableContent, "\(body)")
            }
            for role in [Role.viewer, .approver] {
                let answer = try await send(client, .post, path, FakeTokens.token(role), #"{"role":"view"}"#)
                #expect(answer.status == .forbidden)
            }
        }
    }

    /// Whatever is added to the API is closed to links until somebody opens it, and says so here.
    @Test func aLinkOpensThisAndNothingElse() async throws {
        try await run { client, sessions, shares, routes in
            let id = await sessions.add()
            await shares.open(id)
            var open: Set<String> = []
            for endpoint in routes.endpoints where endpoint.access != .anyone {
                let path = endpoint.path.replacing("{id}", with: "\(id)").replacing("{pid}", with: "p")
                    .replacing("{sid}", with: "s").replacing("{name}", with: "n")
                // An endless stream is for the next test.
                guard !endpoint.acceptsTicket || !endpoint.acceptsShare else {
                    open.insert("\(endpoint.method.rawValue) \(endpoint.path)")
                    continue
                }
                let answer = try await send(client, endpoint.method, path, FakeShares.token(.drive))
                let closed = answer.status == .forbidden && String(buffer: answer.body).contains("a share link opens")
                if !closed { open.insert("\(endpoint.method.rawValue) \(endpoint.path)") }
            }
            #expect(
                open == [
                    "GET /v1/me", "POST /v1/tickets", "GET /v1/permissions", "GET /v1/sessions/{id}",
                    "GET /v1/sessions/{id}/screen", "GET /v1/sessions/{id}/transcript", "GET /v1/sessions/{id}/history",
                    "GET /v1/sessions/{id}/events", "GET /v1/sessions/{id}/permissions",
                    "POST /v1/sessions/{id}/permissions/{pid}", "POST /v1/sessions/{id}/commands",
                    "POST /v1/sessions/{id}/interrupt", "POST /v1/sessions/{id}/input",
                ])
        }
    }

    @Test func aLinkDoesWhatItsRoleMayAndKnowsNoOtherSession() async throws {
        try await run { client, sessions, shares, _ in
            let (id, other) = (await sessions.add(), await sessions.add())
            await shares.open(id)
            let input = #"{"text":"x"}"#
            for role in ShareRole.allCases {
                let token = FakeShares.token(role)
                let me = try JSONReader.parse(try await send(client, .get, "/v1/me", token).body)
                #expect(me["access"]?.string == role.rawValue)
                #expect(me["share"]?["session_id"]?.string == id.description)
                #expect(try await send(client, .get, "/v1/sessions/\(id)", token).status == .ok)
                let typed = try await send(client, .post, "/v1/sessions/\(id)/input", token, input)
                #expect(typed.status == (role == .drive ? .accepted : .forbidden))
                for path in ["", "/screen", "/permissions", "/events"] {
                    let answer = try await send(client, .get, "/v1/sessions/\(other)\(path)", token)
                    let missing = try await send(client, .get, "/v1/sessions/\(SessionID())\(path)", token)
                    #expect(answer.status == .notFound && missing.status == .notFound)
                }
                let ticket = try await send(client, .post, "/v1/tickets", token, "{}")
                #expect(try JSONReader.parse(ticket.body)["session_id"]?.string == id.description)
            }
            let refused = try await send(
                client, .post, "/v1/sessions/\(id)/permissions/p", FakeShares.token(.view), #"{"decision":"allow"}"#)
            #expect(refused.status == .forbidden)
            let member = try JSONReader.parse(try await send(client, .get, "/v1/me", FakeTokens.token(.approver)).body)
            #expect(member["access"] == "approve" && member["share"] == .null)
            // Not in an address, and no login.
            let inURL = try await send(client, .get, "/v1/me?share=\(FakeShares.token(.view))", FakeShares.token(.view))
            #expect(inURL.status == .badRequest)
            let login = try await client.executeRequest(
                uri: "/v1/auth/login", method: .post, headers: [.contentType: "application/json"],
                body: ByteBuffer(string: #"{"token":"\#(FakeShares.token(.drive))"}"#))
            #expect(login.status == .unauthorized)
        }
    }

    @Test func aRevokedLinkEndsItsEventsAndItsTickets() async throws {
        try await ServerFixture.run(authentication: .token) { server in
            let id = await server.sessions.add()
            await server.shares.open(id)
            let link = "Authorization: Bearer \(FakeShares.token(.view))"
            func request(_ method: String, _ path: String, _ header: String?) -> String {
                "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n" + (header.map { $0 + "\r\n" } ?? "")
                    + "Content-Length: 0\r\n\r\n"
            }
            let stream = try await RawClient(port: server.port)
            try await stream.send(request("GET", "/v1/sessions/\(id)/events", link))
            _ = try await stream.receive(until: "retry: 3000")
            let asking = try await RawClient(port: server.port)
            try await asking.send(request("POST", "/v1/tickets", link))
            let made = try await asking.receive(until: "}")
            let ticket = try #require(made.split(separator: "\"").first { $0.hasPrefix("tk_") })
            let owner = try await RawClient(port: server.port)
            let start = ContinuousClock.now
            try await owner.send(
                request(
                    "DELETE", "/v1/sessions/\(id)/shares/view", "Authorization: Bearer \(FakeTokens.token(.user))"))
            _ = try await stream.receive(until: "\r\n0\r\n\r\n")
            #expect(ContinuousClock.now - start < .seconds(2))
            let late = try await RawClient(port: server.port)
            try await late.send(request("GET", "/v1/sessions/\(id)/events?ticket=\(ticket)", nil))
            _ = try await late.receive(until: "401")
        }
    }

    @Test(arguments: [
        "/v1/sessions/OTHER/terminal", "/v1/sessions/OTHER/stream", "/ws/OTHER", "/ws/ID", "/ws", "/", "/ws/browser/ID",
        "/ws/cli/ID",
    ])
    func noOtherWebSocketOpens(path: String) async throws {
        try await ServerFixture.run(authentication: .token) { server in
            let (id, other) = (await server.sessions.add(), await server.sessions.add())
            await server.shares.open(id)
            let client = try await RawClient(port: server.port)
            let path = path.replacing("OTHER", with: "\(other)").replacing("ID", with: "\(id)")
            try await client.send(
                """
                GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                Authorization: Bearer \(FakeShares.token(.drive))\r\n\r\n
                """)
            let answer = try await client.receive(until: "\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 40"), "\(answer)")
        }
    }
}
