public import Foundation

/// What a caller may do in its tenant (API v1, "Authentication"). Ordered: each includes what is below it.
public enum Role: String, Codable, Sendable, Hashable, CaseIterable, Comparable {
    case viewer, approver, user, admin
    /// Box-wide.
    case `operator`

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .approver: 1
        case .user: 2
        case .admin: 3
        case .operator: 4
        }
    }

    public static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }
}

/// An authenticated caller. Every query that touches a tenant's data takes one and puts its predicate in the SQL.
public struct Principal: Sendable, Hashable {
    public var tenantID: Int64
    public var userID: Int64
    /// The user's name, for lists and audit.
    public var name: String
    public var role: Role
    /// The public id of the token that was shown, nil for the local admin of `--auth none`.
    public var tokenID: String?
    /// The browser login through which it was shown, when there is one.
    public var login: Login?
    /// The share link through which the caller came, when it did: then only its session is there.
    public var share: Share?

    /// A browser login, by a name that is no secret.
    public struct Login: Sendable, Hashable {
        public var id: String
        public var expires: Date

        public init(id: String, expires: Date) {
            self.id = id
            self.expires = expires
        }
    }

    public init(
        tenantID: Int64, userID: Int64, name: String, role: Role, tokenID: String?, login: Login? = nil
    ) {
        self.tenantID = tenantID
        self.userID = userID
        self.name = name
        self.role = role
        self.tokenID = tokenID
        self.login = login
    }
}
