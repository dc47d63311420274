import Foundation
import Registry

/// A secret for tools as lists show it: whose it is and where it goes, never the value.
struct SecretDocument: Encodable, Sendable {
    var id: Int64
    var tenant: String
    /// nil: the whole tenant's.
    var user: String?
    var name: String
    var hosts: [String]
    var version: Int
    var updatedAt: Date
    var updatedBy: String

    init(_ row: ToolSecretRow) {
        id = row.id
        tenant = row.tenant
        user = row.user
        name = row.name
        hosts = row.hosts
        version = row.version
        updatedAt = row.updatedAt
        updatedBy = row.updatedBy
    }
}
