import Foundation
import Registry
import SessionCore
import Supervisor
import WorkerControl

/// `POST /v1/auth/login`: who the browser now is.
struct LoginDocument: Encodable, Sendable {
    var name: String
    var role: Role
    var expiresAt: Date?
}

/// `GET /v1/me`: who the caller is, and what that is worth.
struct CallerDocument: Encodable, Sendable {
    var name: String
    var role: Role
    /// What the caller may do with a session that it sees.
    var access: ClientAccess
    /// The link through which it came, if it did.
    var share: Share?

    struct Share: Encodable, Sendable {
        var id: String
        var sessionID: SessionID
        var role: ShareRole
        var expiresAt: Date
    }

    enum CodingKeys: String, CodingKey {
        case name, role, access, share
    }

    init(_ principal: Principal) {
        name = principal.name
        role = principal.role
        access = principal.clientAccess
        share = principal.share.map {
            Share(id: $0.id, sessionID: $0.session, role: $0.role, expiresAt: $0.expires)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(role, forKey: .role)
        try container.encode(access, forKey: .access)
        try container.encode(share, forKey: .share)
    }
}

/// `POST /v1/tickets`.
struct TicketDocument: Encodable, Sendable {
    var ticket: String
    var sessionID: SessionID?
    var expiresAt: Date
}

/// One token in `GET /v1/tokens`; `token` only in the answer that made it.
struct TokenDocument: Encodable, Sendable {
    var id: String
    var name: String?
    var role: Role
    var user: String
    var tenant: String
    var createdAt: Date
    var lastUsedAt: Date?
    var token: String?

    init(_ view: TokenView, secret: String? = nil) {
        id = view.id
        name = view.name
        role = view.role
        user = view.user
        tenant = view.tenant
        createdAt = view.createdAt
        lastUsedAt = view.lastUsedAt
        token = secret
    }
}

/// A tenant, or a user and its tenant.
struct AccountDocument: Encodable, Sendable {
    var name: String
    var tenant: String?
    var createdAt: Date

    init(_ record: TenantRecord) {
        name = record.name
        createdAt = record.createdAt
    }

    init(_ view: UserView) {
        name = view.name
        tenant = view.tenant
        createdAt = view.createdAt
    }
}

/// `GET /healthz`, and `GET /` for callers that do not want a page.
struct HealthDocument: Encodable, Sendable {
    var status: String
    /// Running sessions that the caller may see; left out for a caller that is not authenticated.
    var sessions: Int?
}
