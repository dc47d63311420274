import Foundation
import Glibc
import WorkerControl

/// A message from the supervisor, as far as it can be read. Pure: nothing is looked up or touched.
enum IncomingRequest: Sendable {
    case request(LauncherRequestEnvelope)
    /// A request that cannot be read, whose sender can be told.
    case unreadable(id: UInt64, problem: String)

    /// - Throws: for what is no request at all.
    init(_ message: [UInt8]) throws(LaunchFailure) {
        struct Identity: Decodable { var id: UInt64 }
        let data = Data(message)
        do { self = .request(try JSONDecoder().decode(LauncherRequestEnvelope.self, from: data)) } catch {
            if let identity = try? JSONDecoder().decode(Identity.self, from: data) {
                self = .unreadable(id: identity.id, problem: "\(error)")
                return
            }
            throw LaunchFailure(
                step: "request", errno: EBADMSG, message: "a message is not a request: \("\(error)".prefix(300))",
                remedy: "run a launcher and a supervisor of the same release")
        }
    }
}
