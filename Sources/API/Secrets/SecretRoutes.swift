import Foundation
import HTTPTypes
import Hummingbird
import Registry

/// Secrets for tools: written, never read.
extension APIRoutes {
    var secretEndpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/secrets", .role(.admin)) { call in
                let rows = try await keptSecrets().list(as: call.authenticated())
                return try .json(PageDocument(items: rows.map { SecretDocument($0) }, nextCursor: nil))
            },
            Endpoint(.put, "/v1/secrets", .role(.admin)) { call in
                let body = try SecretBody(body: await call.json())
                let row = try await keptSecrets().set(
                    body.secret, tenant: body.tenant, user: body.user, by: call.authenticated())
                return try .json(SecretDocument(row))
            },
            Endpoint(.delete, "/v1/secrets/{id}", .role(.admin)) { call in
                guard let id = Int64(try call.parameter("id")) else {
                    throw Problem(404, "not_found", "a secret's id is a number")
                }
                try await keptSecrets().remove(id, by: call.authenticated())
                return Response(status: .noContent)
            },
        ]
    }

    private func keptSecrets() throws(Problem) -> any SecretService {
        guard let secrets else { throw Problem(404, "not_found", "this server keeps no secrets for tools") }
        return secrets
    }
}
