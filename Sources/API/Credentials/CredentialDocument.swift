import Foundation
import Registry

/// A credential as lists show it: whose and what it is, never the secret.
struct CredentialDocument: Encodable, Sendable {
    var id: Int64
    var tenant: String
    /// nil: the whole tenant's.
    var user: String?
    var kind: String
    var version: Int
    var expiresAt: Date?
    var fault: String?
    var updatedAt: Date
    var updatedBy: String

    init(_ row: CredentialRow) {
        id = row.id
        tenant = row.tenant
        user = row.user
        kind = row.kind
        version = row.version
        expiresAt = row.expiresAt
        fault = row.fault
        updatedAt = row.updatedAt
        updatedBy = row.updatedBy
    }
}
