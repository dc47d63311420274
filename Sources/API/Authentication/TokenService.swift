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
    /// Makes a token for the caller's own user. The secret is in the answer and nowhere else.
    func createToken(
        name: String?, role: Role, by principal: Principal
    ) async throws(SupervisorError) -> CreatedToken
    /// Revokes a token of the caller's tenant: it stops working at once.
    func deleteToken(_ id: String, by principal: Principal) async throws(SupervisorError)
}

/// A token as lists show it: never the secret.
public struct TokenView: Sendable, Hashable {
    /// The public id, the middle part of the token.
    public var id: String
    public var name: String?
    public var role: Role
    /// Whose it is.
    public var user: String
    public var createdAt: Date
    public var lastUsedAt: Date?

    public init(id: String, name: String?, role: Role, user: String, createdAt: Date, lastUsedAt: Date?) {
        self.id = id
        self.name = name
        self.role = role
        self.user = user
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
