import Foundation
import Gateway
import SessionCore
import Supervisor

/// The body of `PUT /v1/credentials`.
struct CredentialBody {
    var credential: ModelCredential
    var tenant: String?
    var user: String?

    init(body: JSONValue) throws(Problem) {
        let fields = try BodyFields(
            body,
            allowed: [
                "tenant", "user", "kind", "upstream", "api_key", "token", "refresh_token", "token_url", "token_form",
                "client_id", "expires_at", "headers",
            ])
        guard let kind = try fields.choice("kind", of: ModelCredential.Kind.self) else {
            throw Problem.invalid("'kind' is missing", field: "kind")
        }
        credential = ModelCredential(kind: kind)
        tenant = try fields.string("tenant", most: 128)
        user = try fields.string("user", most: 128)
        credential.upstream = try fields.string("upstream", most: 2048)
        credential.apiKey = try fields.string("api_key", most: 16_384)
        credential.token = try fields.string("token", most: 16_384)
        credential.refreshToken = try fields.string("refresh_token", most: 16_384)
        credential.tokenURL = try fields.string("token_url", most: 2048)
        if let text = try fields.string("token_form", most: 16) {
            guard let form = TokenRefresh.Form(rawValue: text) else {
                throw Problem.invalid("'token_form' is form or json", field: "token_form")
            }
            credential.tokenForm = form
        }
        credential.clientID = try fields.string("client_id", most: 1024)
        if let text = try fields.string("expires_at", most: 64) {
            guard let date = try? Date(text, strategy: .iso8601) else {
                throw Problem.invalid("'expires_at' must be a time such as 2026-11-25T12:00:00Z", field: "expires_at")
            }
            credential.expiresAt = date
        }
        credential.headers = try fields.strings(
            "headers", entries: 32, keyPattern: { !$0.isEmpty && $0.utf8.count <= 128 },
            keyRule: "names have at most 128 bytes", longest: 16_384)
        // Here, before any of it is kept: what is wrong is said without the values.
        if let problem = credential.problem { throw Problem.invalid(problem, field: "kind") }
    }
}
