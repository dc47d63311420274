import Foundation
import Glibc
import NIOCore
import SessionCore
import Testing
import WorkerControl

@testable import Worker

/// What becomes of clients whose credential is taken back or changed.
@Suite("Credentials that change", .timeLimit(.minutes(2)))
struct CredentialTests {
    private static let token = ClientCredential(token: "aaaaaaaaaaaa", login: "login-1", share: "cccccccccccc")
    private static let other = ClientCredential(token: "bbbbbbbbbbbb")

    @Test(
        "what is revoked closes within a second, said why, and nobody else does",
        arguments: Way.allCases, [CredentialName.token("aaaaaaaaaaaa"), .login("login-1"), .share("cccccccccccc")])
    func revoked(way: Way, name: CredentialName) async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let connection = try await fixture.connect()
            let driver = try await TestClient.attach(to: fixture, over: way, credential: Self.token)
            let silent = try await TestClient.connect(to: fixture, over: way, credential: Self.token)
            let gadget = try await TestClient.connect(to: fixture, over: way, path: "/echokit", credential: Self.token)
            let bob = try await TestClient.attach(to: fixture, over: way, principal: "bob", credential: Self.other)
            guard case .status(let status) = try await connection.send(.status) else { return }
            #expect(status.clients.compactMap(\.credential).count == 3)
            #expect(status.clients.allSatisfy { $0.access == .drive })

            let start = ContinuousClock.now
            guard
                case .done = try await connection.send(
                    .credential(CredentialChange(name, access: nil, reason: "the token was revoked")))
            else {
                Issue.record("not done")
                return
            }
            for client in [driver, silent, gadget] {
                try await eventually("the end") { client.received.isClosed }
                #expect(client.received.closeCode == RevokedClose.code)
                #expect(client.received.closeReason == "the token was revoked")
            }
            #expect(ContinuousClock.now - start < .seconds(1))
            // The lease went on to the next.
            try await bob.message("driver") { $0["you"] == true }
            bob.send(keys: "still here\r")
            try await bob.shows("still here\r\nstill here")

            // One that was on its way meanwhile.
            await #expect(throws: TimedOut.self) {
                _ = try await TestClient.connect(to: fixture, over: way, credential: Self.token)
            }
        }
    }

    @Test("one that does not read is closed too", arguments: Way.allCases)
    func revokedAndStuck(way: Way) async throws {
        try await WorkerFixture.with(["bash", "--norc"]) { fixture in
            let connection = try await fixture.connect()
            let stuck = try await TestClient.attach(to: fixture, over: way, credential: Self.token)
            try await stuck.read(false)
            stuck.send(keys: "yes | head -c 9000000\r")
            try await Task.sleep(for: .seconds(1))
            _ = try await connection.send(
                .credential(CredentialChange(.token("aaaaaaaaaaaa"), access: nil, reason: "gone")))
            try await eventually("nobody to be attached", within: 2) {
                guard case .status(let status) = try await connection.send(.status) else { return false }
                return status.clients.isEmpty
            }
        }
    }

    @Test("less access loses the keys at once, and more may take over", arguments: Way.allCases)
    func changed(way: Way) async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let connection = try await fixture.connect()
            let client = try await TestClient.attach(to: fixture, over: way, credential: Self.token)
            try await client.message("driver") { $0["you"] == true }
            func change(to access: ClientAccess) async throws {
                _ = try await connection.send(
                    .credential(CredentialChange(.token("aaaaaaaaaaaa"), access: access, reason: "another role")))
            }
            try await change(to: .view)
            try await client.message("driver") { $0["you"] == false && $0["client"] == .null }
            client.send(keys: "nope\r")
            try await client.message("error") { $0["code"] == "view_only" }
            client.send(text: #"{"type":"take_over"}"#)
            try await Task.sleep(for: .milliseconds(300))
            try await change(to: .drive)
            client.send(text: #"{"type":"take_over"}"#)
            try await eventually("the lease") { client.received.texts.last { $0["type"] == "driver" }?["you"] == true }
            client.send(keys: "again\r")
            try await client.shows("again\r\nagain")
            #expect(!client.received.screen.contains("nope"))
            // One that comes with what the supervisor knew a moment before.
            try await change(to: .view)
            let late = try await TestClient.attach(to: fixture, over: way, credential: Self.token)
            late.send(keys: "nope\r")
            try await late.message("error") { $0["code"] == "view_only" }
        }
    }

    @Test("a credential that ends by itself ends its clients", arguments: Way.allCases)
    func expires(way: Way) async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let credential = ClientCredential(token: "aaaaaaaaaaaa", expires: Date().addingTimeInterval(1.5))
            let client = try await TestClient.attach(to: fixture, over: way, credential: credential)
            #expect(!client.received.isClosed)
            try await eventually("the end") { client.received.isClosed }
            #expect(client.received.closeCode == RevokedClose.code)
        }
    }

    @Test("changes are remembered for a while, and not without bound")
    func memory() {
        var changes = CredentialChanges()
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        func access(_ name: String, at time: NIODeadline) -> ClientAccess?? {
            changes.access(
                of: RelayedClient(
                    principal: "a", access: .drive, credential: ClientCredential(token: name, login: "l")), at: time)
        }
        #expect(access("t", at: start) == nil)
        changes.note(CredentialChange(.token("t"), access: .view, reason: ""), at: start)
        #expect(access("t", at: start) == .some(.view))
        changes.note(CredentialChange(.login("l"), access: nil, reason: ""), at: start)
        #expect(access("t", at: start) == .some(nil))
        #expect(access("t", at: start + .seconds(61)) == nil)
        for number in 0..<3000 {
            changes.note(CredentialChange(.token("\(number)"), access: nil, reason: ""), at: start + .seconds(1))
        }
        #expect(access("2999", at: start + .seconds(2)) == .some(nil))
    }
}
