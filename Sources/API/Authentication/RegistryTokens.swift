public import Registry
public import Supervisor

/// The registry's tokens, as the API asks for them.
public struct RegistryTokens: TokenService {
    let registry: SessionRegistry

    public init(_ registry: SessionRegistry) { self.registry = registry }

    public func principal(token: String) async throws(SupervisorError) -> Principal? {
        do throws(RegistryError) {
            return try await registry.principal(ofToken: token)
        } catch {
            throw Self.refusal(error)
        }
    }

    public func principal(tokenID: String) async throws(SupervisorError) -> Principal? {
        do throws(RegistryError) {
            return try await registry.principal(ofTokenID: tokenID)
        } catch {
            throw Self.refusal(error)
        }
    }

    public func tokens(as principal: Principal) async throws(SupervisorError) -> [TokenView] {
        do throws(RegistryError) {
            return try await registry.tokens(visibleTo: principal).filter { $0.revokedAt == nil }.map(TokenView.init)
        } catch {
            throw Self.refusal(error)
        }
    }

    public func createToken(
        name: String?, role: Role, for user: UserName?, by principal: Principal
    ) async throws(SupervisorError) -> CreatedToken {
        guard role <= principal.role else {
            throw SupervisorError(.forbidden, "the role \(principal.role) cannot make a token of the role \(role)")
        }
        var userID = principal.userID
        if let user {
            let owner = try await registry.owner(tenant: user.tenant, user: user.user, asked: principal)
            userID = owner.userID ?? userID
        }
        do throws(RegistryError) {
            let made = try await registry.createToken(userID: userID, role: role, label: name, by: principal.name)
            return CreatedToken(view: TokenView(made.record), secret: made.token)
        } catch {
            throw Self.refusal(error)
        }
    }

    public func deleteToken(_ id: String, by principal: Principal) async throws(SupervisorError) -> [String] {
        do throws(RegistryError) {
            if let revoked = try await registry.revokeToken(id, visibleTo: principal) { return revoked.shares }
        } catch {
            throw Self.refusal(error)
        }
        throw SupervisorError(.notFound, "the token '\(id.prefix(40))' does not exist")
    }

    static func refusal(_ error: RegistryError) -> SupervisorError {
        switch error {
        case .invalid: SupervisorError(.invalid, error.description)
        case .notFound: SupervisorError(.notFound, error.description)
        case .exists, .keyReused: SupervisorError(.exists, error.description)
        case .storage, .corrupt, .exhausted: SupervisorError(.storage, error.description)
        case .locked, .cancelled: SupervisorError(.unavailable, error.description)
        }
    }
}

extension TokenView {
    fileprivate init(_ record: TokenRecord) {
        self.init(
            id: record.publicID, name: record.label, role: record.role, user: record.user,
            tenant: record.tenant, createdAt: record.createdAt, lastUsedAt: record.lastUsedAt)
    }
}
