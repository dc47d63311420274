public import Foundation

/// A value that the gateway adds to requests of a tenant's or a user's tools, as the registry has it: where it may go, and
/// the value sealed.
public struct ToolSecretRow: Sendable, Hashable {
    public var id: Int64
    public var tenantID: Int64
    public var tenant: String
    /// nil: the whole tenant's.
    public var userID: Int64?
    public var user: String?
    /// By which policies name it.
    public var name: String
    /// The only ones it is sent to, whatever a policy says; in order.
    public var hosts: [String]
    /// Opened by the supervisor alone.
    public var sealed: Data
    /// Rises with every change.
    public var version: Int
    public var updatedAt: Date
    public var updatedBy: String

    public init(
        id: Int64, tenantID: Int64, tenant: String, userID: Int64?, user: String?, name: String, hosts: [String],
        sealed: Data, version: Int, updatedAt: Date, updatedBy: String
    ) {
        self.id = id
        self.tenantID = tenantID
        self.tenant = tenant
        self.userID = userID
        self.user = user
        self.name = name
        self.hosts = hosts
        self.sealed = sealed
        self.version = version
        self.updatedAt = updatedAt
        self.updatedBy = updatedBy
    }

    public var owner: CredentialOwner { CredentialOwner(tenantID: tenantID, userID: userID) }
}

enum ToolSecretSchema {
    static let table = """
        CREATE TABLE tool_secrets (
            id INTEGER PRIMARY KEY,
            tenant_id INTEGER NOT NULL REFERENCES tenants (id),
            user_id INTEGER REFERENCES users (id),
            name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
            hosts TEXT NOT NULL CHECK (json_valid(hosts)),
            sealed BLOB NOT NULL,
            version INTEGER NOT NULL CHECK (version >= 1),
            updated_at INTEGER NOT NULL,
            updated_by TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX tool_secrets_by_name ON tool_secrets (tenant_id, name, coalesce(user_id, 0));
        """
}
