import Foundation
import GRDB
import Gateway
import Logging
import Policy
import Registry
import SessionCore
import Testing

@testable import Supervisor

/// Which value a session's tools are given, and where it may go.
@Suite struct SecretVaultTests {
    private struct Fixture {
        let directory = "/tmp/sv-\(UUID().uuidString.prefix(8).lowercased())"
        let registry: SessionRegistry
        let key: SealingKey

        init() throws {
            registry = try SessionRegistry(directory: directory)
            key = try SealingKey(file: directory + "/key", mayMake: true)
        }

        func vault(files: [String: String]? = nil, key: SealingKey? = nil) throws -> SecretVault {
            let path = directory + "/files"
            if let files {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                for (name, value) in files {
                    try value.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
                    chmod("\(path)/\(name)", 0o600)
                }
            }
            return SecretVault(
                registry: registry, key: key ?? self.key, files: files.map { _ in ToolSecrets(directory: path) },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        func sql(_ text: String) throws {
            try DatabaseQueue(path: directory + "/registry.sqlite").write { try $0.execute(sql: text) }
        }

        func remove() { try? FileManager.default.removeItem(atPath: directory) }
    }

    private func secret(
        _ value: String, name: String = "git", hosts: [String]? = ["github.com"]
    ) -> ToolSecret {
        ToolSecret(name: name, hosts: hosts?.compactMap { EgressHost($0) }, value: value)
    }

    private func value(
        _ vault: SecretVault, _ session: UUID, _ name: String = "git", to host: String = "github.com"
    ) async throws -> String {
        try await vault.value(of: name, for: session, to: try #require(EgressHost(host)))
    }

    @Test func aUsersOwnGoesBeforeTheTenantsAndThatBeforeTheFile() async throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        let vault = try fixture.vault(files: ["git": "of the file\n"])
        let ann = try await fixture.registry.person("ann", of: "north")
        let eve = try await fixture.registry.person("eve", of: "north")
        let bob = try await fixture.registry.person("bob", of: "south")
        let (anns, eves, bobs) = (
            try await fixture.registry.session(of: ann), try await fixture.registry.session(of: eve),
            try await fixture.registry.session(of: bob)
        )
        #expect(try await value(vault, anns) == "of the file")
        let first = try await vault.set(secret("of north"), tenant: nil, user: nil, by: ann)
        _ = try await vault.set(secret("of ann"), tenant: nil, user: "ann", by: ann)
        #expect(try await value(vault, anns) == "of ann")
        #expect(try await value(vault, eves) == "of north")
        #expect(try await value(vault, bobs) == "of the file")
        await #expect(throws: EgressSecretFault.notSet) { try await value(vault, anns, "npm") }
        // Rotated: from the next request on, for the hosts that it had.
        let rotated = try await vault.set(secret("newer", hosts: nil), tenant: nil, user: nil, by: ann)
        #expect(rotated.version == 2 && rotated.id == first.id && rotated.hosts == ["github.com"])
        #expect(try await value(vault, eves) == "newer")
        // By another supervisor of the same directory.
        #expect(try await value(try fixture.vault(), eves) == "newer")
        try await vault.remove(rotated.id, by: ann)
        #expect(try await value(vault, eves) == "of the file")
        await #expect(throws: EgressSecretFault.notSet) { try await value(try fixture.vault(), eves) }
        let audit = try await fixture.registry.audit(visibleTo: ann, before: nil, limit: 50).filter {
            $0.action.hasPrefix("secret.")
        }
        #expect(audit.map(\.action) == ["secret.remove", "secret.set", "secret.set", "secret.set"])
        #expect(audit.first?.detail["hosts"]?.array?.first?.string == "github.com")
        #expect(!audit.contains { "\($0.detail)".contains("newer") || "\($0.detail)".contains("of ") })
    }

    @Test func goesToItsOwnHostsAndToNoOtherThatAPolicyNames() async throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        let vault = try fixture.vault(files: ["git": "of the file"])
        let ann = try await fixture.registry.person("ann", of: "north")
        let session = try await fixture.registry.session(of: ann)
        let row = try await vault.set(
            secret("v", hosts: ["GitHub.com", "api.github.com", "github.com"]), tenant: nil, user: nil, by: ann)
        #expect(row.hosts == ["api.github.com", "github.com"])
        #expect(try await value(vault, session, to: "api.github.com") == "v")
        // Nor is the file's sent in its place.
        await #expect(throws: EgressSecretFault.otherHost) { try await value(vault, session, to: "evil.example") }
        // Whoever writes other hosts into the registry has a secret that does not open.
        try fixture.sql(#"UPDATE tool_secrets SET hosts = '["evil.example"]'"#)
        let fault = await #expect(throws: EgressSecretFault.self) {
            try await value(vault, session, to: "evil.example")
        }
        #expect(fault.map { if case .unusable = $0 { true } else { false } } == true)
    }

    @Test func anotherTenantsSecretsDoNotExist() async throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        let vault = try fixture.vault()
        let ann = try await fixture.registry.person("ann", of: "north")
        let bob = try await fixture.registry.person("bob", of: "south")
        let row = try await vault.set(secret("v"), tenant: nil, user: nil, by: ann)
        #expect(try await vault.list(as: bob).isEmpty)
        await #expect(throws: SupervisorError.self) { try await vault.remove(row.id, by: bob) }
        await #expect(throws: SupervisorError.self) {
            try await vault.set(secret("x"), tenant: "north", user: nil, by: bob)
        }
        await #expect(throws: SupervisorError.self) {
            try await vault.set(secret("x"), tenant: nil, user: "ann", by: bob)
        }
        // Without hosts there must be one whose hosts it has.
        await #expect(throws: SupervisorError.self) {
            try await vault.set(secret("x", hosts: nil), tenant: nil, user: nil, by: bob)
        }
        let session = try await fixture.registry.session(of: bob)
        await #expect(throws: EgressSecretFault.notSet) { try await value(vault, session) }
        var root = bob
        root.role = .operator
        #expect(try await vault.list(as: root).map(\.tenant) == ["north"])
        #expect(try await vault.set(secret("x"), tenant: "north", user: nil, by: root).version == 2)
    }

    @Test func nothingOnDiskHasTheValueAndNoOtherKeyOpensIt() async throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        let ann = try await fixture.registry.person("ann", of: "north")
        let session = try await fixture.registry.session(of: ann)
        let kept = secret("Bearer very-secret-value")
        _ = try await fixture.vault().set(kept, tenant: nil, user: nil, by: ann)
        for file in try FileManager.default.contentsOfDirectory(atPath: fixture.directory) {
            guard let data = FileManager.default.contents(atPath: "\(fixture.directory)/\(file)") else { continue }
            #expect(data.range(of: Data("very-secret".utf8)) == nil, "\(file) has it")
        }
        // Closed rather than open: not the file's in its place.
        let other = try fixture.vault(files: ["git": "of the file"], key: SealingKey(Data(repeating: 7, count: 32)))
        let fault = await #expect(throws: EgressSecretFault.self) { try await value(other, session) }
        #expect(fault?.description.contains("set it again") == true)
        #expect(!"\(kept)".contains("very-secret"))
    }
}
