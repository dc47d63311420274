import Foundation
import Registry
import SessionCore
import Supervisor

@testable import API

/// Tokens named after their roles: `rk_viewer_secret` and so on.
actor FakeTokens: TokenService {
    private var revoked: Set<String> = []

    static func principal(_ role: Role) -> Principal {
        Principal(tenantID: 1, userID: 1, name: "ann", role: role, tokenID: role.rawValue)
    }

    static func token(_ role: Role) -> String { "rk_\(role.rawValue)_secret" }

    func revoke(_ role: Role) { revoked.insert(role.rawValue) }

    func principal(token: String) async throws(SupervisorError) -> Principal? {
        guard let role = Role.allCases.first(where: { Self.token($0) == token }) else { return nil }
        return try await principal(tokenID: role.rawValue)
    }

    func principal(tokenID: String) async throws(SupervisorError) -> Principal? {
        guard !revoked.contains(tokenID) else { return nil }
        return Role(rawValue: tokenID).map(Self.principal)
    }

    func tokens(as principal: Principal) async throws(SupervisorError) -> [TokenView] {
        [TokenView(id: "admin", name: nil, role: .admin, user: "ann", tenant: "t", createdAt: Date(), lastUsedAt: nil)]
    }

    func createToken(
        name: String?, role: Role, for user: UserName?, by principal: Principal
    ) async throws(SupervisorError) -> CreatedToken {
        CreatedToken(
            view: TokenView(
                id: "new", name: name, role: role, user: user?.user ?? "ann", tenant: user?.tenant ?? "t",
                createdAt: Date(), lastUsedAt: nil),
            secret: "rk_new_secret")
    }

    func deleteToken(_ id: String, by principal: Principal) async throws(SupervisorError) -> [String] {
        guard id == "admin" else { throw SupervisorError(.notFound, "the token '\(id)' does not exist") }
        return []
    }

    func tenants(as principal: Principal) async throws(SupervisorError) -> [TenantRecord] { [] }

    func createTenant(_ name: String, by principal: Principal) async throws(SupervisorError) -> TenantRecord {
        throw SupervisorError(.exists, "there is a tenant '\(name)' already")
    }

    func users(of tenant: String?, as principal: Principal) async throws(SupervisorError) -> [UserView] { [] }

    func createUser(_ name: UserName, by principal: Principal) async throws(SupervisorError) -> UserView {
        UserView(name: name.user, tenant: name.tenant ?? "t", createdAt: Date())
    }
}
