import Foundation
import NIOCore
import NIOHTTP1
import Registry
import SessionCore
import Supervisor
import Testing
import WorkerControl

@testable import API

/// The way of a terminal's WebSocket to its worker.
@Suite(.timeLimit(.minutes(2))) struct RelayTests {
    private func run(
        authentication: AuthenticationMode = .none(ServerFixture.admin), greeting: String? = "hello",
        refuses: Bool = false, _ body: @Sendable (ServerFixture, StandInWorker, SessionID) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let worker = try await StandInWorker(directory.path + "/w", greeting: greeting, refuses: refuses)
        try await ServerFixture.run(authentication: authentication) { server in
            await server.sessions.setSocket(worker.path)
            try await body(server, worker, await server.sessions.add())
        }
        await worker.stop()
    }

    @Test func bytesGoBothWaysAndTheWorkerLearnsWhoItIs() async throws {
        try await run(authentication: .token) { server, worker, id in
            let client = try await RawClient(port: server.port)
            let head = try await client.upgrade(
                "/v1/sessions/\(id)/terminal?wake=false&x=1&ticket=t",
                headers: [
                    "Authorization: Bearer \(FakeTokens.token(.viewer))", "X-Rookery-Client: {\"principal\":\"root\"}",
                    "x-rookery-session: other", "Cookie: a=b", "Sec-WebSocket-Protocol: p",
                ])
            #expect(head.hasPrefix("HTTP/1.1 101"))
            #expect(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
            #expect(try await client.receiveText() == "hello")
            try await client.sendText("x")
            #expect(try await client.receiveText() == "x")
            let request = try #require(worker.requests.first)
            #expect(request.uri == "/terminal?x=1")
            let identities = request.headers["x-rookery-client"]
            #expect(identities.count == 1)
            let identity = try JSONDecoder.rookery.decode(RelayedClient.self, from: Data((identities.first ?? "").utf8))
            #expect(
                identity
                    == RelayedClient(
                        principal: "ann", access: .view, credential: ClientCredential(token: "viewer"), isAdmin: false))
            for name in ["authorization", "cookie", "x-rookery-session"] {
                #expect(!request.headers.contains(name: name))
            }
            #expect(request.headers["sec-websocket-protocol"] == ["p"])
        }
    }

    @Test func companionsTerminalIsTheSessionsOwn() async throws {
        try await run { server, worker, id in
            let client = try await RawClient(port: server.port)
            let head = try await client.upgrade("/ws/terminal/\(id)?wake=true")
            #expect(head.hasPrefix("HTTP/1.1 101"))
            #expect(worker.requests.first?.uri == "/companion")
            let unknown = try await RawClient(port: server.port)
            #expect(try await unknown.upgrade("/ws/terminal/nonsense").hasPrefix("HTTP/1.1 404"))
        }
    }

    @Test(arguments: [(Role.viewer, ClientAccess.view), (.approver, .approve), (.user, .drive), (.operator, .drive)])
    func accessFollowsTheRole(role: Role, access: ClientAccess) {
        #expect(RelayedClient(FakeTokens.principal(role)).access == access)
    }

    @Test func bytesSentRightAfterTheRequestAreNotLost() async throws {
        try await run(greeting: nil) { server, _, id in
            let client = try await RawClient(port: server.port)
            let frame = RawClient.frame(0x81, Array("early".utf8))
            try await client.send(Array(RawClient.handshake("/v1/sessions/\(id)/terminal").utf8) + frame)
            #expect(try await client.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 101"))
            #expect(try await client.receiveText() == "early")
        }
    }

    @Test func aMegabyteComesBackThroughAClientThatReadsLate() async throws {
        try await run(greeting: nil) { server, _, id in
            let client = try await RawClient(port: server.port)
            _ = try await client.upgrade("/v1/sessions/\(id)/terminal")
            let payload = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            for _ in 0..<4 {
                try await client.send(RawClient.frame(0x82, payload))
            }
            for _ in 0..<4 {
                let frame = try await client.receiveFrame()
                #expect(frame.payload == payload)
            }
        }
    }

    @Test func theEndOfEitherSideEndsTheOther() async throws {
        try await run { server, worker, id in
            let client = try await RawClient(port: server.port)
            _ = try await client.upgrade("/v1/sessions/\(id)/terminal")
            try await client.send(RawClient.frame(0x88, [0x03, 0xE8]))
            _ = try await client.receiveAll()
        }
    }

    @Test func refusalsAreProblemsBeforeTheHandshake() async throws {
        try await run(authentication: .token) { server, _, id in
            let parked = await server.sessions.add(SessionID(), .parked)
            let admin = "Authorization: Bearer \(FakeTokens.token(.admin))"
            let cases: [(String, [String], Int, String)] = [
                ("/v1/sessions/\(id)/terminal", [], 401, "unauthenticated"),
                ("/v1/sessions/\(id)/terminal", ["Authorization: Bearer rk_x"], 401, "bad_token"),
                ("/v1/sessions/\(id)/terminal?ticket=tk_no", [], 401, "bad_ticket"),
                ("/v1/sessions/\(id)/terminal?token=x", [admin], 400, "token_in_url"),
                ("/v1/sessions/\(SessionID())/terminal", [admin], 404, "not_found"),
                ("/v1/sessions/nope/terminal", [admin], 404, "not_found"),
                ("/v1/nothing", [admin], 404, "not_found"),
                ("/v1/sessions/\(parked)/terminal", [admin], 409, "wrong_state"),
                (
                    "/v1/sessions/\(parked)/terminal?wake=true",
                    ["Authorization: Bearer \(FakeTokens.token(.viewer))"], 403, "forbidden"
                ),
                ("/v1/sessions/\(id)/terminal?wake=perhaps", [admin], 422, "invalid"),
                ("/ws/\(parked)", ["Authorization: Bearer \(FakeTokens.token(.viewer))"], 409, "wrong_state"),
                ("/v1/sessions/\(id)/terminal", [admin, "Content-Length: 3"], 400, "bad_request"),
            ]
            for (path, headers, status, code) in cases {
                let client = try await RawClient(port: server.port)
                try await client.send(RawClient.handshake(path, headers: headers) + "abc")
                let answer = try await client.receiveAll()
                #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(path): \(answer)")
                #expect(answer.contains("\"code\":\"\(code)\""), "\(path): \(answer)")
                #expect(answer.contains("application/problem+json"))
            }
        }
    }

    @Test(arguments: [
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8", 426),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Key: short", 400), ("GET ", "POST ", 400),
        ("Host: 127.0.0.1", "Host: evil.example", 421), ("HTTP/1.1\r\n", "HTTP/1.0\r\n", 400),
        ("Host: 127.0.0.1", "Host: 127.0.0.1\r\nOrigin: http://evil.example", 403),
    ])
    func badHandshakesAreRefused(what: String, with: String, status: Int) async throws {
        try await run { server, _, id in
            let client = try await RawClient(port: server.port)
            let request = RawClient.handshake("/v1/sessions/\(id)/terminal").replacingOccurrences(of: what, with: with)
            try await client.send(request)
            #expect(try await client.receiveAll().hasPrefix("HTTP/1.1 \(status) "))
        }
    }

    @Test func aTicketOpensOneSocketOnce() async throws {
        try await run(authentication: .token) { server, _, id in
            let http = try await RawClient(port: server.port)
            let body = #"{"session_id":"\#(id)"}"#
            try await http.send(
                "POST /v1/tickets HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
                    + "Authorization: Bearer \(FakeTokens.token(.user))\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
            let answer = try await http.receiveAll()
            let document = try JSONReader.parse((answer.components(separatedBy: "\r\n\r\n").last ?? "").utf8)
            let ticket = try #require(document["ticket"]?.string)
            let client = try await RawClient(port: server.port)
            #expect(try await client.upgrade("/v1/sessions/\(id)/terminal?ticket=\(ticket)").hasPrefix("HTTP/1.1 101"))
            let again = try await RawClient(port: server.port)
            #expect(try await again.upgrade("/v1/sessions/\(id)/terminal?ticket=\(ticket)").hasPrefix("HTTP/1.1 401"))
        }
    }

    @Test func aWorkerThatIsNotThereIs503() async throws {
        try await run { server, _, id in
            await server.sessions.setSocket("/tmp/nobody-listens-here")
            let client = try await RawClient(port: server.port)
            #expect(try await client.upgrade("/v1/sessions/\(id)/terminal").hasPrefix("HTTP/1.1 503"))
        }
    }

    @Test func wakingStartsAParkedSession() async throws {
        try await run { server, _, _ in
            let parked = await server.sessions.add(SessionID(), .parked)
            let client = try await RawClient(port: server.port)
            #expect(try await client.upgrade("/v1/sessions/\(parked)/terminal?wake=true").hasPrefix("HTTP/1.1 101"))
            #expect(try await client.receiveText() == "hello")
        }
    }
}
