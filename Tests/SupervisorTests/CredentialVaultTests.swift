import Foundation
import GRDB
import Gateway
import HTTPTypes
import Hummingbird
import Logging
import Registry
import SessionCore
import Synchronization
import Testing

@testable import Supervisor

/// Which credential a session's requests go out with, and what becomes of it.
@Suite struct CredentialVaultTests {
    private struct Fixture {
        let directory: String
        let registry: SessionRegistry
        let key: SealingKey

        init() throws {
            directory = "/tmp/cv-\(UUID().uuidString.prefix(8).lowercased())"
            registry = try SessionRegistry(directory: directory)
            key = try SealingKey(file: directory + "/key", mayMake: true)
        }

        func vault(
            shared: String? = "shared-key", key: SealingKey? = nil, clock: TestClock = TestClock()
        ) throws -> CredentialVault {
            CredentialVault(
                registry: registry, key: key ?? self.key,
                upstream: try #require(UpstreamURL(parsing: "https://api.example")), sharedKey: shared,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                clock: SupervisorClock(
                    now: { clock.now }, monotonic: { clock.monotonic }, sleep: { try await Task.sleep(for: $0) }))
        }

        func sql(_ text: String) throws {
            try DatabaseQueue(path: directory + "/registry.sqlite").write { try $0.execute(sql: text) }
        }

        func remove() { try? FileManager.default.removeItem(atPath: directory) }
    }

    private func key(_ text: String) -> ModelCredential {
        var credential = ModelCredential(kind: .apiKey)
        credential.apiKey = text
        return credential
    }

    private func shown(_ vault: CredentialVault, _ session: UUID) async throws -> [String] {
        try await vault.grant(for: session).headers.map { "\($0.name): \($0.value)" }
    }

    @Test func aUsersOwnGoesBeforeTheTenantsAndThatBeforeTheSharedOne() async throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        let vault = try fixture.vault()
        let ann = try await fixture.registry.person("ann", of: "north")
        let eve = try await fixture.registry.person("eve", of: "north")
        let bob = try await fixture.registry.person("bob", of: "south")
        let sessions = [
            try await fixture.registry.session(of: ann), try await fixture.registry.session(of: eve),
            try await fixture.registry.session(of: bob),
        ]
        #expect(try await shown(vault, sessions[0]) == ["x-api-key: shared-key"])
        _ = try await vault.set(key("north-key"), tenant: nil, user: nil, by: ann)
        _ = try await vault.set(key("ann-key"), tenant: nil, user: "ann", by: ann)
        #expect(try await shown(vault, sessions[0]) == ["x-api-key: ann-key"])
        #expect(try await shown(vault, sessions[1]) == ["x-api-key: north-key"])
        #expect(try await shown(vault, sessions[2]) == ["x-api-key: shared-key"])
        // Rotated: from the next request on.
        let rotated = try await vault.set(key("new-key"), tenant: nil, user: nil, by: ann)
        #expect(rotated.version == 2)
        #expect(try await shown(vault, sessions[1]) == ["x-api-key: new-key"])
        // By another supervisor of the same directory, out of the registry.
        #expect(try await shown(try fixture.vault(), sessions[1]) == ["x-api-key: new-key"])
        try await vault.remove(rotated.id, by: ann)
        #expect(try await shown(vault, sessions[1]) == ["x-api-key: shared-key"])
        await #expect(throws: Refusal.self) { try await vault.grant(for: UUID()) }
    }

    @Test func anotherTenantsCredentialsDoNotExist() async throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        let vault = try fixture.vault()
        let ann = try await fixture.registry.person("ann", of: "north")
        let bob = try await fixture.registry.person("bob", of: "south")
        let row = try await vault.set(key("north-key"), tenant: nil, user: nil, by: ann)
        #expect(try await vault.list(as: bob).isEmpty)
        await #expect(throws: SupervisorError.self) { try await vault.remove(row.id, by: bob) }
        await #expect(throws: SupervisorError.self) {
            try await vault.set(key("x"), tenant: "north", user: nil, by: bob)
        }
        await #expect(throws: SupervisorError.self) { try await vault.set(key("x"), tenant: nil, user: "ann", by: bob) }
        var root = bob
        root.role = .operator
        #expect(try await vault.list(as: root).map(\.tenant) == ["north"])
        #expect(try await vault.set(key("x"), tenant: "north", user: nil, by: root).version == 2)
    }

    @Test func nothingOnDiskHasTheSecretAndNoOtherKeyOpensIt() async throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        let ann = try await fixture.registry.person("ann", of: "north")
        let session = try await fixture.registry.session(of: ann)
        _ = try await fixture.vault().set(key("very-secret-key"), tenant: nil, user: nil, by: ann)
        for file in try FileManager.default.contentsOfDirectory(atPath: fixture.directory) {
            guard let data = FileManager.default.contents(atPath: "\(fixture.directory)/\(file)") else { continue }
            #expect(data.range(of: Data("very-secret".utf8)) == nil, "\(file) has it")
        }
        let other = try fixture.vault(key: SealingKey(Data(repeating: 7, count: 32)))
        // Closed rather than open: not the shared key in its place.
        await #expect(throws: Refusal.self) { try await other.grant(for: session) }
        #expect("\(key("very-secret-key"))".contains("secret") == false)
    }

    @Test func aKeyThatOthersMayReadIsRefused() throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        let path = fixture.directory + "/key"
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(throws: SealingKey.Fault.self) { try SealingKey(file: path, mayMake: true) }
        #expect(throws: SealingKey.Fault.self) { try SealingKey(file: path + "-absent", mayMake: false) }
        try Data("short".utf8).write(to: URL(filePath: path + "2"))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path + "2")
        #expect(throws: SealingKey.Fault.self) { try SealingKey(file: path + "2", mayMake: true) }
    }

    @Test func whatIsSealedForOneOpensForNoOther() throws {
        let key = SealingKey(Data(repeating: 1, count: 32))
        let sealed = try key.seal(Data("x".utf8), for: "tenant 1")
        #expect(key.open(sealed, for: "tenant 1") == Data("x".utf8))
        #expect(key.open(sealed, for: "tenant 2") == nil)
        var changed = sealed
        changed[changed.count - 1] ^= 1
        #expect(key.open(changed, for: "tenant 1") == nil)
        #expect(key.open(Data(), for: "tenant 1") == nil)
    }

    @Test func manyRefusedRequestsRenewATokenOnce() async throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        let asked = Mutex<[String]>([])
        try await withTokenEndpoint { body in
            asked.withLock { $0.append(body) }
            return #"{"access_token":"fresh","refresh_token":"refresh-2","expires_in":3600}"#
        } body: { url in
            let vault = try fixture.vault()
            let ann = try await fixture.registry.person("ann", of: "north", .operator)
            let session = try await fixture.registry.session(of: ann)
            var credential = ModelCredential(kind: .oauth)
            credential.token = "stale"
            credential.refreshToken = "refresh-1"
            credential.tokenURL = url
            credential.clientID = "c"
            _ = try await vault.set(credential, tenant: nil, user: nil, by: ann)
            let old = try await vault.grant(for: session)
            #expect(old.headers.first?.value == "Bearer stale")
            let renewed = await withTaskGroup(of: String?.self) { group in
                for _ in 0..<20 { group.addTask { await vault.renewed(old, for: session)?.headers.first?.value } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(renewed == [String?](repeating: "Bearer fresh", count: 20))
            #expect(asked.withLock { $0 } == ["client_id=c&grant_type=refresh%5Ftoken&refresh_token=refresh%2D1"])
            // The rotated refresh token is stored: the next supervisor has it.
            #expect(try await fixture.vault().grant(for: session).headers.first?.value == "Bearer fresh")
        }
    }

    @Test func aRefusedRefreshIsTriedOnceAndSaid() async throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        let asked = Mutex(0)
        try await withTokenEndpoint { _ in
            asked.withLock { $0 += 1 }
            return nil
        } body: { url in
            let vault = try fixture.vault()
            let ann = try await fixture.registry.person("ann", of: "north", .operator)
            let session = try await fixture.registry.session(of: ann)
            var credential = ModelCredential(kind: .oauth)
            credential.token = "stale"
            credential.refreshToken = "spent"
            credential.tokenURL = url
            _ = try await vault.set(credential, tenant: nil, user: nil, by: ann)
            let grant = try await vault.grant(for: session)
            for _ in 0..<3 { #expect(await vault.renewed(grant, for: session) == nil) }
            #expect(asked.withLock { $0 } == 1)
            #expect(try await vault.list(as: ann).first?.fault?.contains("400") == true)
        }
    }

    @Test func aRenewedTokenThatCannotBeStoredIsUsedAndStoredLater() async throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        let asked = Mutex<[String]>([])
        try await withTokenEndpoint { body in
            asked.withLock { asked in
                asked.append(body)
                return #"{"access_token":"fresh-\#(asked.count)","refresh_token":"refresh-\#(asked.count + 1)"}"#
            }
        } body: { url in
            let clock = TestClock()
            let vault = try fixture.vault(clock: clock)
            let ann = try await fixture.registry.person("ann", of: "north", .operator)
            let session = try await fixture.registry.session(of: ann)
            var credential = ModelCredential(kind: .oauth)
            credential.token = "stale"
            credential.refreshToken = "refresh-1"
            credential.tokenURL = url
            _ = try await vault.set(credential, tenant: nil, user: nil, by: ann)
            let old = try await vault.grant(for: session)
            try fixture.sql("CREATE TRIGGER no BEFORE UPDATE ON credentials BEGIN SELECT raise(ABORT, 'no'); END")
            let first = try #require(await vault.renewed(old, for: session))
            #expect(first.headers.first?.value == "Bearer fresh-1")
            #expect(try await vault.grant(for: session).headers.first?.value == "Bearer fresh-1")
            // The registry has the spent one; it is not used again.
            let second = try #require(await vault.renewed(first, for: session))
            #expect(second.headers.first?.value == "Bearer fresh-2")
            #expect(asked.withLock { $0.last }?.contains("refresh%2D2") == true)
            try fixture.sql("DROP TRIGGER no")
            clock.advance(60)
            _ = try await vault.grant(for: session)
            var stored = ""
            for _ in 0..<200 where stored != "Bearer fresh-2" {
                try await Task.sleep(for: .milliseconds(20))
                stored = try await fixture.vault().grant(for: session).headers.first?.value ?? ""
            }
            #expect(stored == "Bearer fresh-2")
        }
    }

    @Test func onlyAnOperatorNamesAnUpstreamWithoutTLS() async throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        let vault = try fixture.vault()
        let ann = try await fixture.registry.person("ann", of: "north")
        var root = ann
        root.role = .operator
        for upstream in ["unix:/run/other.sock", "http://127.0.0.1:1", "http://169.254.169.254"] {
            var credential = key("k")
            credential.upstream = upstream
            await #expect(throws: SupervisorError.self) {
                try await vault.set(credential, tenant: nil, user: nil, by: ann)
            }
            _ = try await vault.set(credential, tenant: nil, user: nil, by: root)
        }
        var credential = key("k")
        credential.upstream = "https://models.example.com"
        _ = try await vault.set(credential, tenant: nil, user: nil, by: ann)
    }

    @Test(arguments: [
        #"{"kind":"api_key"}"#, #"{"kind":"api_key","apiKey":"a\nb"}"#, #"{"kind":"bearer","token":"a b"}"#,
        #"{"kind":"oauth","token":"a","refreshToken":"b","tokenURL":"http://evil.example/t"}"#,
        #"{"kind":"gateway","headers":{"x":"y"}}"#, #"{"kind":"gateway","upstream":"ftp://x"}"#,
        #"{"kind":"gateway","upstream":"https://x","headers":{"host":"y"}}"#,
        #"{"kind":"gateway","upstream":"https://x","headers":{"a":"b\r\nc: d"}}"#,
    ])
    func whatCannotBeSentIsRefused(text: String) throws {
        #expect(try JSONDecoder().decode(ModelCredential.self, from: Data(text.utf8)).problem != nil)
    }

    /// A token endpoint on loopback; nil is answered with 400.
    private func withTokenEndpoint(
        _ answer: @escaping @Sendable (String) -> String?, body: @escaping @Sendable (String) async throws -> Void
    ) async throws {
        let router = Router()
        router.post("/token") { request, _ -> Response in
            let text = String(buffer: try await request.body.collect(upTo: 1 << 16))
            guard let answer = answer(text) else { return Response(status: .badRequest) }
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: answer)))
        }
        let (ports, found) = AsyncStream<Int>.makeStream()
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { found.yield($0.localAddress?.port ?? 0) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let server = Task { try await application.run() }
        defer { server.cancel() }
        guard let port = await ports.first(where: { _ in true }) else { return }
        try await body("http://127.0.0.1:\(port)/token")
    }
}
