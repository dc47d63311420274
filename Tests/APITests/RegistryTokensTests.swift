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
        let made = try await tokens.createToken(name: "laptop", role: .user, by: admin)
        let holder = try #require(try await tokens.principal(token: made.secret))
        #expect(holder.role == .user && holder.userID == admin.userID && holder.tokenID == made.view.id)
        #expect(try await tokens.principal(tokenID: made.view.id) == holder)
        #expect(try await tokens.principal(token: made.secret.dropLast() + "x") == nil)
        #expect(try await tokens.principal(token: "rk_") == nil)
        #expect(try await tokens.tokens(as: admin).map(\.id) == [made.view.id])
        #expect("\(made)".contains(made.view.id) && !"\(made)".contains(made.secret))
        try await tokens.deleteToken(made.view.id, by: admin)
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
            try await tokens.createToken(name: nil, role: .operator, by: admin)
        }
        #expect(error?.code == .forbidden)
        let missing = await #expect(throws: SupervisorError.self) {
            try await tokens.deleteToken("nosuchtoken1", by: admin)
        }
        #expect(missing?.code == .notFound)
    }
}
