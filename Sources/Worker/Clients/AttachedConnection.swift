import Foundation
import Logging
import SessionCore
import WorkerControl

/// One client of the session, whatever it speaks.
protocol AttachedConnection: AnyObject {
    var id: Int { get }
    var dialect: String { get }
    var principal: String { get }
    var access: ClientAccess { get }
    var since: Date { get }
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
        AttachedClient(id: id, dialect: dialect, principal: principal, driving: driving, since: since)
    }
}
