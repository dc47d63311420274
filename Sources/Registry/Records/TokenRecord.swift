public import Foundation

/// A bearer token as lists show it. The secret itself is known to nobody but its holder.
public struct TokenRecord: Codable, Sendable, Hashable {
    /// The 12 characters between `rk_` and the secret: what lists and audit records show.
    public var publicID: String
    public var tenantID: Int64
    public var tenant: String
    public var userID: Int64
    public var user: String
    public var role: Role
    public var label: String?
    public var createdAt: Date
    /// Exact to some minutes.
    public var lastUsedAt: Date?
    public var revokedAt: Date?

    enum CodingKeys: String, CodingKey {
        case publicID = "id"
        case tenantID = "tenant_id"
        case tenant
        case userID = "user_id"
        case user, role, label
        case createdAt = "created_at"
        case lastUsedAt = "last_used_at"
        case revokedAt = "revoked_at"
    }
}

/// A tenant: what one team owns, invisible to every other.
public struct TenantRecord: Codable, Sendable, Hashable {
    public var id: Int64
    public var name: String
    public var createdAt: Date

    enum CodingKeys: String, CodingKey {
        case id, name
        case createdAt = "created_at"
    }
}

/// A person or a program of a tenant.
public struct UserRecord: Codable, Sendable, Hashable {
    public var id: Int64
    public var tenantID: Int64
    public var name: String
    public var createdAt: Date

    enum CodingKeys: String, CodingKey {
        case id
        case tenantID = "tenant_id"
        case name
        case createdAt = "created_at"
    }
}
