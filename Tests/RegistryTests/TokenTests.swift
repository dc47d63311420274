import Foundation
import GRDB
import Testing

@testable import Registry

struct TokenTests {
    @Test func aTokenStandsForItsUserAndRole() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice", in: "red")
            let made = try await registry.createToken(userID: alice.userID, role: .approver, label: "phone")
            let shape = /rk_[a-z0-9]{12}_[0-9a-f]{64}/
            #expect(try shape.wholeMatch(in: made.token) != nil)

            let principal = try #require(try await registry.principal(ofToken: made.token))
            #expect(principal.tenantID == alice.tenantID)
            #expect(principal.userID == alice.userID)
            #expect(principal.name == "alice")
            #expect(principal.role == .approver)
            #expect(principal.tokenID == made.record.publicID)
        }
    }

    @Test(arguments: [
        "", "rk_", "Bearer x", "rk_short_00", "rk_abcdefghijkl_" + String(repeating: "g", count: 64),
        "rk_ABCDEFGHIJKL_" + String(repeating: "0", count: 64), "rk_abcdefghijkl_" + String(repeating: "0", count: 64),
        "rk_abcdefghijkl_" + String(repeating: "0", count: 63), String(repeating: "rk_", count: 100_000),
        "rk_abc'; DROP T_" + String(repeating: "0", count: 64),
    ])
    func whatIsNoTokenStandsForNobody(_ text: String) async throws {
        try await withRegistry { registry in
            let principal = try await registry.principal(ofToken: text)
            #expect(principal == nil)
        }
    }

    @Test func aWrongSecretWithARightPublicIdStandsForNobody() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let token = try await registry.createToken(userID: alice.userID, role: .user).token
            let last = token.last == "0" ? "1" : "0"
            #expect(try await registry.principal(ofToken: token.dropLast() + last) == nil)
            #expect(try await registry.principal(ofToken: token) != nil)
        }
    }

    @Test func theSecretIsNotInTheFile() async throws {
        let directory = try ScratchDirectory()
        let secret: String
        do {
            let registry = try SessionRegistry(directory: directory.path)
            let alice = try await registry.person("alice")
            let token = try await registry.createToken(userID: alice.userID, role: .user).token
            secret = String(token.suffix(64))
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
            let content = try Data(contentsOf: URL(filePath: "\(directory.path)/\(name)"))
            #expect(content.range(of: Data(secret.utf8)) == nil, "\(name)")
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory.path)/registry.sqlite")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func aRevokedTokenStandsForNobodyAtOnce() async throws {
        try await withRegistry { registry in
            let admin = try await registry.person("boss", role: .admin)
            let made = try await registry.createToken(userID: admin.userID, role: .user)
            let revoked = try await registry.revokeToken(made.record.publicID, visibleTo: admin)
            #expect(revoked?.record.revokedAt != nil)
            #expect(try await registry.principal(ofToken: made.token) == nil)
            // Again is the same, the first time stands.
            let again = try await registry.revokeToken(
                made.record.publicID, visibleTo: admin, at: Date().addingTimeInterval(60))
            #expect(again?.record.revokedAt == revoked?.record.revokedAt)
        }
    }

    @Test func listsShowWhatTheCallerMaySee() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice", in: "red")
            let boss = try await registry.person("boss", in: "red", role: .admin)
            let other = try await registry.person("eve", in: "blue", role: .admin)
            let ofAlice = try await registry.createToken(userID: alice.userID, role: .user).record.publicID
            let ofBoss = try await registry.createToken(userID: boss.userID, role: .admin).record.publicID
            let ofEve = try await registry.createToken(userID: other.userID, role: .admin).record.publicID

            func seen(_ principal: Principal) async throws -> Set<String> {
                Set(try await registry.tokens(visibleTo: principal).map(\.publicID))
            }
            #expect(try await seen(alice) == [ofAlice])
            #expect(try await seen(boss) == [ofAlice, ofBoss])
            #expect(try await seen(other) == [ofEve])
            let everything = Principal(tenantID: 0, userID: 0, name: "op", role: .operator, tokenID: nil)
            #expect(try await seen(everything) == [ofAlice, ofBoss, ofEve])
            #expect(try await registry.revokeToken(ofBoss, visibleTo: other) == nil)
            #expect(try await registry.revokeToken(ofBoss, visibleTo: alice) == nil)
        }
    }

    @Test func lastUseIsWrittenOnceInAWhile() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice", role: .admin)
            let token = try await registry.createToken(userID: alice.userID, role: .user).token
            let start = Date(timeIntervalSince1970: 2_000_000_000)
            func used(_ offset: TimeInterval) async throws -> Date? {
                _ = try await registry.principal(ofToken: token, at: start.addingTimeInterval(offset))
                return try await registry.tokens(visibleTo: alice).first?.lastUsedAt
            }
            #expect(try await used(0) == start)
            #expect(try await used(299) == start)
            #expect(try await used(301) == start.addingTimeInterval(301))
        }
    }

    @Test func theAdminTokenFileIsTakenOverOrFilled() async throws {
        let token: String
        do {
            let directory = try ScratchDirectory()
            let registry = try SessionRegistry(directory: directory.path)
            token = try await registry.ensureAdminToken(fileContents: nil)
            #expect(try await registry.ensureAdminToken(fileContents: token + "\n") == token)
            #expect(try await registry.principal(ofToken: token)?.role == .operator)
            let tokens = try await registry.tokens(visibleTo: try await registry.localAdmin())
            #expect(tokens.count == 1)
        }
        // The registry is lost, the file is not: the token that people have goes on working.
        try await withRegistry { registry in
            #expect(try await registry.ensureAdminToken(fileContents: token) == token)
            let principal = try #require(try await registry.principal(ofToken: token))
            #expect(principal.name == "admin")

            await #expect(throws: RegistryError.self) { try await registry.ensureAdminToken(fileContents: "rubbish") }
            let last = token.last == "0" ? "1" : "0"
            await #expect(throws: RegistryError.self) {
                try await registry.ensureAdminToken(fileContents: token.dropLast() + last)
            }
            _ = try await registry.revokeToken(principal.tokenID ?? "", visibleTo: principal)
            await #expect(throws: RegistryError.self) { try await registry.ensureAdminToken(fileContents: token) }
        }
    }

    @Test func theLocalAdminIsTheSamePersonEveryTime() async throws {
        try await withRegistry { registry in
            let first = try await registry.localAdmin()
            #expect(first.tokenID == nil)
            #expect(try await registry.localAdmin() == first)
        }
    }

    @Test func namesAreCheckedAndUnique() async throws {
        try await withRegistry { registry in
            let red = try await registry.createTenant("red")
            _ = try await registry.createUser("alice", tenantID: red.id)
            await #expect(throws: RegistryError.exists("there is a tenant 'red' already")) {
                try await registry.createTenant("red")
            }
            await #expect(throws: RegistryError.exists("there is a user 'alice' already")) {
                try await registry.createUser("alice", tenantID: red.id)
            }
            await #expect(throws: RegistryError.notFound("there is no tenant 99")) {
                try await registry.createUser("alice", tenantID: 99)
            }
            for name in ["", "a\u{1b}[2J", String(repeating: "x", count: 129)] {
                await #expect(throws: RegistryError.self) { try await registry.createTenant(name) }
            }
        }
    }

    @Test func hexadecimalIsPaddedWhateverTheRandomWord() {
        for _ in 0..<2000 { #expect(BearerToken(parsing: BearerToken().text) != nil) }
        #expect(!"\(BearerToken())".contains(BearerToken().text.suffix(64)))
    }
}
