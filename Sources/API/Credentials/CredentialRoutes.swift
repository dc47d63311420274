import Foundation
import HTTPTypes
import Hummingbird
import Registry

/// Credentials for the model API: written, never read.
extension APIRoutes {
    var credentialEndpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/credentials", .role(.admin)) { call in
                let rows = try await credentials.list(as: call.authenticated())
                return try .json(PageDocument(items: rows.map { CredentialDocument($0) }, nextCursor: nil))
            },
            Endpoint(.put, "/v1/credentials", .role(.admin)) { call in
                let body = try CredentialBody(body: await call.json())
                let row = try await credentials.set(
                    body.credential, tenant: body.tenant, user: body.user, by: call.authenticated())
                return try .json(CredentialDocument(row))
            },
            Endpoint(.delete, "/v1/credentials/{id}", .role(.admin)) { call in
                guard let id = Int64(try call.parameter("id")) else {
                    throw Problem(404, "not_found", "a credential's id is a number")
                }
                try await credentials.remove(id, by: call.authenticated())
                return Response(status: .noContent)
            },
        ]
    }
}
