public import Foundation
public import Registry
public import Supervisor

/// Who holds which token. The registry is the one in production; it keeps only hashes.
public protocol TokenService: Sendable {
    /// The holder of a token as it was shown (`rk_<public id>_<secret>`); nil for one that is unknown or revoked.
    func principal(token: String) async throws(SupervisorError) -> Principal?
    /// The holder of the token with this public id; nil once it is revoked. Every use of a browser login asks.
    func principal(tokenID: String) async throws(SupervisorError) -> Principal?
    /// The tokens of the caller's tenant.
    func tokens(as principal: Principal) async throws(SupervisorError) -> [TokenView]
    /// Makes a token for a user; nil: the caller's own. The secret is in the answer and nowhere else.
    func createToken(
        name: String?, role: Role, for user: UserName?, by principal: Principal
    ) async throws(SupervisorError) -> CreatedToken
    /// Revokes a token of the caller's tenant: it stops working at once, and so do the share links that were made with it.
    /// - Returns: the links' public ids.
    func deleteToken(_ id: String, by principal: Principal) async throws(SupervisorError) -> [String]

    /// An operator's: all; others' own.
    func tenants(as principal: Principal) async throws(SupervisorError) -> [TenantRecord]
    /// For operators.
    func createTenant(_ name: String, by principal: Principal) async throws(SupervisorError) -> TenantRecord
    /// - Parameter tenant: nil: the caller's own; of all for an operator.
    func users(of tenant: String?, as principal: Principal) async throws(SupervisorError) -> [UserView]
    func createUser(_ name: UserName, by principal: Principal) async throws(SupervisorError) -> UserView
}

/// A user by names.
public struct UserName: Sendable, Hashable {
    /// nil: the caller's own.
    public var tenant: String?
    public var user: String

    public init(tenant: String?, user: String) {
        self.tenant = tenant
        self.user = user
    }
}

/// A user as lists show it.
public struct UserView: Sendable, Hashable {
    public var name: String
    public var tenant: String
    public var createdAt: Date

    public init(name: String, tenant: String, createdAt: Date) {
        self.name = name
        self.tenant = tenant
        self.createdAt = createdAt
    }
}

/// A token as lists show it: never the secret.
public struct TokenView: Sendable, Hashable {
    /// The public id, the middle part of the token.
    public var id: String
    public var name: String?
    public var role: Role
    /// Whose it is.
    public var user: String
    public var tenant: String
    public var createdAt: Date
    public var lastUsedAt: Date?

    public init(
        id: String, name: String?, role: Role, user: String, tenant: String, createdAt: Date, lastUsedAt: Date?
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.user = user
        self.tenant = tenant
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
    }
}

/// A token that was just made.
public struct CreatedToken: Sendable {
    public var view: TokenView
    /// The whole token, to be shown once.
    public var secret: String

    public init(view: TokenView, secret: String) {
        self.view = view
        self.secret = secret
    }
}

extension CreatedToken: CustomStringConvertible {
    /// Without the secret.
    public var description: String { "token \(view.id) <redacted>" }
}
