import Foundation
import Registry
import SessionCore
import Supervisor
import Testing
import WorkerControl

@testable import API

/// What is open when a credential is taken back.
@Suite(.timeLimit(.minutes(2))) struct RevocationTests {
    private func request(
        _ method: String, _ path: String, _ headers: [String] = [], body: String? = nil
    ) -> String {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: localhost"] + headers
        if let body { lines += ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] }
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
    }

    private let admin = "Authorization: Bearer \(FakeTokens.token(.admin))"

    private func answer(_ server: ServerFixture, _ text: String) async throws -> String {
        let client = try await RawClient(port: server.port)
        try await client.send(
            text.replacingOccurrences(of: "Host: localhost", with: "Host: localhost\r\nConnection: close"))
        return try await client.receiveAll()
    }

    @Test(arguments: ["/v1/events", "/v1/sessions/ID/events"])
    func aRevokedTokenEndsItsEventStreamsAndNoOthers(path: String) async throws {
        try await ServerFixture.run(authentication: .token) { server in
            let id = await server.sessions.add()
            let path = path.replacingOccurrences(of: "ID", with: "\(id)")
            let mine = try await RawClient(port: server.port)
            try await mine.send(request("GET", path, [admin]))
            _ = try await mine.receive(until: "retry: 3000")
            let other = try await RawClient(port: server.port)
            try await other.send(request("GET", path, ["Authorization: Bearer \(FakeTokens.token(.user))"]))
            _ = try await other.receive(until: "retry: 3000")
            let start = ContinuousClock.now
            #expect(try await answer(server, request("DELETE", "/v1/tokens/admin", [admin])).hasPrefix("HTTP/1.1 204"))
            _ = try await mine.receive(until: "\r\n0\r\n\r\n")
            #expect(ContinuousClock.now - start < .seconds(2))
            #expect(await server.sessions.calls.contains("credentialChanged \(CredentialName.token("admin"))"))
            // The other one goes on.
            await server.sessions.emit(
                SessionEvent(
                    seq: 9, time: Date(), sessionID: id, incarnation: 1, type: .turnStarted, data: [:]))
            _ = try await other.receive(until: "turn.started")
        }
    }

    @Test func loggingOutEndsWhatTheLoginOpened() async throws {
        try await ServerFixture.run(authentication: .token) { server in
            let login = try await answer(
                server, request("POST", "/v1/auth/login", body: #"{"token":"\#(FakeTokens.token(.admin))"}"#))
            let cookie = try #require(login.split(separator: "rookery_login=").last?.split(separator: ";").first)
            let header = "Cookie: rookery_login=\(cookie)"
            let stream = try await RawClient(port: server.port)
            try await stream.send(request("GET", "/v1/events", [header]))
            _ = try await stream.receive(until: "retry: 3000")
            let out = try await answer(
                server,
                request(
                    "POST", "/v1/auth/logout", [header, "Origin: http://localhost", "Content-Length: 0"]))
            #expect(out.hasPrefix("HTTP/1.1 204"), "\(out)")
            _ = try await stream.receive(until: "\r\n0\r\n\r\n")
            #expect(await server.sessions.calls.contains { $0.hasPrefix("credentialChanged login") })
            #expect(try await answer(server, request("GET", "/v1/sessions", [header])).hasPrefix("HTTP/1.1 401"))
        }
    }

    @Test func aTicketIsWorthNoMoreThanTheTokenBehindIt() async throws {
        try await ServerFixture.run(authentication: .token) { server in
            var tickets: [String] = []
            for _ in 0..<2 {
                let made = try await answer(server, request("POST", "/v1/tickets", [admin, "Content-Length: 0"]))
                let document = try JSONReader.parse((made.components(separatedBy: "\r\n\r\n").last ?? "").utf8)
                tickets.append(try #require(document["ticket"]?.string))
            }
            let good = try await RawClient(port: server.port)
            try await good.send(request("GET", "/v1/events?ticket=\(tickets[0])"))
            _ = try await good.receive(until: "retry: 3000")
            await server.tokens.revoke(.admin)
            #expect(
                try await answer(server, request("GET", "/v1/events?ticket=\(tickets[1])")).hasPrefix("HTTP/1.1 401"))
        }
    }

    @Test func aClientAtTheDoorLeavesWithItsToken() async throws {
        try await ServerFixture.run(authentication: .token) { server in
            let id = SessionID()
            let client = try await RawClient(port: server.port)
            #expect(try await client.upgrade("/ws/\(id)", headers: [admin]).hasPrefix("HTTP/1.1 101"))
            #expect(try await answer(server, request("DELETE", "/v1/tokens/admin", [admin])).hasPrefix("HTTP/1.1 204"))
            let frame = try await client.receiveFrame()
            #expect(frame.opcode == 8)
            #expect(frame.payload.prefix(2) == [UInt8(4401 >> 8), UInt8(4401 & 255)])
        }
    }
}
