import Foundation
import Registry
import Supervisor
import Testing

@testable import API

/// Tokens as the real registry keeps them.
@Suite struct RegistryTokensTests {
    @Test func aTokenLivesUntilItIsRevokedAndItsLoginWithIt() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let registry = try SessionRegistry(directory: directory.path)
        let tokens = RegistryTokens(registry)
        let admin = try await registry.localAdmin()
        let made = try await tokens.createToken(name: "laptop", role: .user, for: nil, by: admin)
        let holder = try #require(try await tokens.principal(token: made.secret))
        #expect(holder.role == .user && holder.userID == admin.userID && holder.tokenID == made.view.id)
        #expect(try await tokens.principal(tokenID: made.view.id) == holder)
        #expect(try await tokens.principal(token: made.secret.dropLast() + "x") == nil)
        #expect(try await tokens.principal(token: "rk_") == nil)
        #expect(try await tokens.tokens(as: admin).map(\.id) == [made.view.id])
        #expect("\(made)".contains(made.view.id) && !"\(made)".contains(made.secret))
        _ = try await tokens.deleteToken(made.view.id, by: admin)
        #expect(try await tokens.principal(token: made.secret) == nil)
        #expect(try await tokens.principal(tokenID: made.view.id) == nil)
        #expect(try await tokens.tokens(as: admin).isEmpty)
    }

    @Test func nobodyMakesATokenAboveTheirOwnRole() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let registry = try SessionRegistry(directory: directory.path)
        let tokens = RegistryTokens(registry)
        var admin = try await registry.localAdmin()
        admin.role = .admin
        let error = await #expect(throws: SupervisorError.self) {
            try await tokens.createToken(name: nil, role: .operator, for: nil, by: admin)
        }
        #expect(error?.code == .forbidden)
        let missing = await #expect(throws: SupervisorError.self) {
            try await tokens.deleteToken("nosuchtoken1", by: admin)
        }
        #expect(missing?.code == .notFound)
    }

    @Test func anAdminSeesAndMakesWhatIsOfItsOwnTenant() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let tokens = RegistryTokens(try SessionRegistry(directory: directory.path))
        let root = try await tokens.registry.localAdmin()
        #expect(try await tokens.createTenant("blue", by: root).name == "blue")
        let bea = UserName(tenant: "blue", user: "bea")
        #expect(try await tokens.createUser(bea, by: root).tenant == "blue")
        let made = try await tokens.createToken(name: nil, role: .admin, for: bea, by: root)
        #expect(made.view.user == "bea" && made.view.tenant == "blue")
        let admin = try #require(try await tokens.principal(token: made.secret))

        #expect(try await tokens.tenants(as: admin).map(\.name) == ["blue"])
        #expect(try await tokens.tenants(as: root).map(\.name) == ["blue", "default"])
        let ben = UserName(tenant: nil, user: "ben")
        #expect(try await tokens.createUser(ben, by: admin).tenant == "blue")
        #expect(try await tokens.users(of: nil, as: admin).map(\.name) == ["bea", "ben"])
        #expect(try await tokens.users(of: nil, as: root).map(\.name) == ["bea", "ben", "admin"])
        let bens = try await tokens.createToken(name: "ben's", role: .user, for: ben, by: admin)
        #expect(try await tokens.principal(token: bens.secret)?.name == "ben")
        #expect(try await tokens.tokens(as: admin).map(\.user).sorted() == ["bea", "ben"])

        let others = UserName(tenant: "default", user: "admin")
        for code in [
            await code { _ = try await tokens.createToken(name: nil, role: .user, for: others, by: admin) },
            await code { _ = try await tokens.createUser(UserName(tenant: "default", user: "eve"), by: admin) },
            await code { _ = try await tokens.users(of: "default", as: admin) },
            await code {
                _ = try await tokens.createToken(
                    name: nil, role: .user, for: UserName(tenant: nil, user: "nobody"), by: admin)
            },
        ] { #expect(code == .notFound) }
        #expect(await code { _ = try await tokens.createTenant("red", by: admin) } == .forbidden)
        #expect(await code { _ = try await tokens.createTenant("blue", by: root) } == .exists)
        #expect(await code { _ = try await tokens.createUser(ben, by: admin) } == .exists)
        #expect(await code { _ = try await tokens.createTenant("a\nb", by: root) } == .invalid)
        let audit = try await tokens.registry.audit(visibleTo: admin, before: nil, limit: 50)
        #expect(
            audit.reversed().map { "\($0.actor) \($0.action)" } == [
                "admin tenant.create", "admin user.create", "admin token.create", "bea user.create", "bea token.create",
            ])
    }

    private func code(_ body: () async throws -> Void) async -> SupervisorError.Code? {
        do { try await body() } catch { return (error as? SupervisorError)?.code }
        return nil
    }
}
