import Foundation
import HTTPTypes
import Hummingbird
import Policy
import Registry
import SessionCore
import WorkerControl

/// Links that let others into one session. Whoever came by one makes no further ones.
extension APIRoutes {
    var shareEndpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/sessions/{id}/shares", .role(.user)) { call in
                let records = try await links().shares(of: call.sessionID(), as: call.authenticated())
                return try .json(PageDocument(items: records.map { ShareDocument($0) }, nextCursor: nil))
            },
            Endpoint(.post, "/v1/sessions/{id}/shares", .role(.user)) { call in
                let id = try call.sessionID()
                let body = try ShareBody(body: await call.json())
                let made = try await links().createShare(
                    of: id, role: body.role, name: body.name, expiresAt: Date().addingTimeInterval(body.life.seconds),
                    by: call.authenticated())
                return try .json(
                    ShareDocument(made.record, token: made.token), status: .created,
                    headers: [.location: "/v1/sessions/\(id)/shares/\(made.record.publicID)"])
            },
            Endpoint(.delete, "/v1/sessions/{id}/shares/{sid}", .role(.user)) { call in
                let share = try call.parameter("sid")
                try await links().deleteShare(share, of: call.sessionID(), by: call.authenticated())
                await takenBack(.share(share), "the share link was revoked")
                return Response(status: .noContent)
            },
        ]
    }

    private func links() throws(Problem) -> any ShareService {
        guard let shares else { throw Problem(404, "not_found", "this server has no share links") }
        return shares
    }
}
