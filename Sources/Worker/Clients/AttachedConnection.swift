import Foundation
import Logging
import SessionCore
import WorkerControl

/// One client of the session, whatever it speaks.
protocol AttachedConnection: AnyObject {
    var id: Int { get }
    var dialect: String { get }
    var principal: String { get }
    /// Changed by ``SessionWorker/apply(_:)`` only.
    var access: ClientAccess { get set }
    var credential: ClientCredential? { get }
    var since: Date { get }
    /// Whether it is told of by `client.attached`.
    var isAttached: Bool { get }

    /// Called once, when its connection is there.
    func attach()
    /// Its credential is worth nothing any more.
    func revoke(_ reason: String)
}

extension AttachedConnection {
    var eventData: JSONValue {
        [
            "client": .integer(Int64(id)), "dialect": .string(dialect), "principal": .string(principal),
            "access": .string(access.rawValue),
        ]
    }

    var metadata: Logger.Metadata {
        ["client": "\(id)", "dialect": "\(dialect)", "principal": "\(principal)", "access": "\(access.rawValue)"]
    }

    func view(driving: Bool) -> AttachedClient {
        AttachedClient(
            id: id, dialect: dialect, principal: principal, driving: driving, since: since, access: access,
            credential: credential)
    }
}
