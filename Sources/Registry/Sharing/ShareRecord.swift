public import Foundation
public import SessionCore

/// What whoever opens a share link may do with its session.
public enum ShareRole: String, Codable, Sendable, Hashable, CaseIterable {
    /// See it.
    case view
    /// See it, and answer its permissions.
    case approve
    /// All of that, and type, send prompts, interrupt and wake it.
    case drive

    /// The role in the tenant that may do as much with a session, and with others more.
    var role: Role {
        switch self {
        case .view: .viewer
        case .approve: .approver
        case .drive: .user
        }
    }
}

/// A share link as lists show it. The secret itself is known to nobody but its holders.
public struct ShareRecord: Sendable, Hashable {
    /// The 12 characters between `rs_` and the secret: what lists and audit records show.
    public var publicID: String
    public var sessionID: SessionID
    public var role: ShareRole
    public var label: String?
    /// Who made it.
    public var createdBy: String
    public var createdAt: Date
    public var expiresAt: Date
    /// Exact to some minutes.
    public var lastUsedAt: Date?

    public init(
        publicID: String, sessionID: SessionID, role: ShareRole, label: String?, createdBy: String, createdAt: Date,
        expiresAt: Date, lastUsedAt: Date? = nil
    ) {
        self.publicID = publicID
        self.sessionID = sessionID
        self.role = role
        self.label = label
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.lastUsedAt = lastUsedAt
    }
}

extension Principal {
    /// The share link through which a caller came. It opens its session and nothing else, whatever the role.
    public struct Share: Sendable, Hashable {
        /// Its public id.
        public var id: String
        public var session: SessionID
        public var role: ShareRole
        public var expires: Date

        public init(id: String, session: SessionID, role: ShareRole, expires: Date) {
            self.id = id
            self.session = session
            self.role = role
            self.expires = expires
        }
    }

    /// Whoever holds a share link of the tenant's: no user of it.
    public init(_ share: Share, label: String?, tenantID: Int64) {
        let link = "share link \(share.id)"
        self.init(
            tenantID: tenantID, userID: 0, name: label.map { "\($0) (\(link))" } ?? link, role: share.role.role,
            tokenID: nil)
        self.share = share
    }
}

enum ShareSchema {
    /// The token with which a link was made, which it does not outlive. Of earlier ones it is not known.
    static let tokens = "ALTER TABLE shares ADD COLUMN token_id TEXT;"

    static let table = """
        CREATE TABLE shares (
            public_id TEXT PRIMARY KEY CHECK (length(public_id) = 12),
            secret_hash BLOB NOT NULL CHECK (length(secret_hash) = 32),
            session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
            role TEXT NOT NULL CHECK (role IN ('view', 'approve', 'drive')),
            label TEXT,
            created_by TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            last_used_at INTEGER,
            revoked_at INTEGER
        ) STRICT;
        CREATE INDEX shares_by_session ON shares (session_id);
        """
}
