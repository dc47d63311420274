public import Foundation

/// A tenant's or a user's credential for the model API, as the registry has it: what it is, and the secret sealed.
public struct CredentialRow: Sendable, Hashable {
    public var id: Int64
    public var tenantID: Int64
    public var tenant: String
    /// nil: the whole tenant's.
    public var userID: Int64?
    public var user: String?
    public var kind: String
    /// Opened by the supervisor alone.
    public var sealed: Data
    /// Rises with every change, so that the newer of two is known.
    public var version: Int
    /// Of a token that expires.
    public var expiresAt: Date?
    /// Why it does not work; nil: nothing is known against it.
    public var fault: String?
    public var updatedAt: Date
    public var updatedBy: String

    public init(
        id: Int64, tenantID: Int64, tenant: String, userID: Int64?, user: String?, kind: String, sealed: Data,
        version: Int, expiresAt: Date?, fault: String?, updatedAt: Date, updatedBy: String
    ) {
        self.id = id
        self.tenantID = tenantID
        self.tenant = tenant
        self.userID = userID
        self.user = user
        self.kind = kind
        self.sealed = sealed
        self.version = version
        self.expiresAt = expiresAt
        self.fault = fault
        self.updatedAt = updatedAt
        self.updatedBy = updatedBy
    }
}

/// Whose a credential is.
public struct CredentialOwner: Sendable, Hashable {
    public var tenantID: Int64
    public var userID: Int64?

    public init(tenantID: Int64, userID: Int64?) {
        self.tenantID = tenantID
        self.userID = userID
    }
}

enum CredentialSchema {
    static let table = """
        CREATE TABLE credentials (
            id INTEGER PRIMARY KEY,
            tenant_id INTEGER NOT NULL REFERENCES tenants (id),
            user_id INTEGER REFERENCES users (id),
            kind TEXT NOT NULL CHECK (kind IN ('api_key', 'bearer', 'oauth', 'gateway')),
            sealed BLOB NOT NULL,
            version INTEGER NOT NULL CHECK (version >= 1),
            expires_at INTEGER,
            fault TEXT,
            updated_at INTEGER NOT NULL,
            updated_by TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX credentials_by_owner ON credentials (tenant_id, coalesce(user_id, 0));
        """
}
