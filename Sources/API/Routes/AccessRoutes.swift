import Foundation
import HTTPTypes
import Hummingbird
import Registry
import SessionCore
import WorkerControl

/// Logging in and out, and tickets.
extension APIRoutes {
    var accessEndpoints: [Endpoint] {
        [
            Endpoint(.post, "/v1/auth/login", .anyone) { call in
                let fields = try BodyFields(await call.json(), allowed: ["token"])
                let token = try fields.requiredString("token", most: 4096)
                let login = try await authenticator.logIn(token: token, from: call.caller)
                var headers = HTTPFields()
                if let value = login.cookie { headers[.setCookie] = cookie(value, seconds: Int(LoginStore.lifetime)) }
                return try .json(login.document, headers: headers)
            },
            Endpoint(.post, "/v1/auth/logout", .anyone) { call in
                if let value = call.caller.cookie(LoginStore.cookie) {
                    try authenticator.origins.checkOrigin(call.caller, required: true)
                    if let login = authenticator.logins.close(value) {
                        await takenBack(.login(login), "the login has ended")
                    }
                }
                return Response(status: .noContent, headers: [.setCookie: cookie("", seconds: 0)])
            },
            Endpoint(.get, "/v1/me", .role(.viewer), acceptsShare: true) { call in
                try .json(CallerDocument(try call.authenticated()))
            },
            Endpoint(.post, "/v1/tickets", .role(.viewer), acceptsShare: true) { call in
                let principal = try call.authenticated()
                let fields = try BodyFields(await call.json(optional: true), allowed: ["session_id"])
                let session = try fields.sessionID("session_id") ?? principal.share?.session
                // A ticket for what the caller cannot see would say that it exists.
                if let session { _ = try await sessions.session(session, as: principal) }
                let issued = try authenticator.tickets.issue(to: principal, session: session)
                return try .json(
                    TicketDocument(ticket: issued.ticket, sessionID: session, expiresAt: issued.expires),
                    status: .created)
            },
        ]
    }

    /// Ends whatever was opened with a credential: streams here, terminals at the workers.
    func takenBack(_ name: CredentialName, _ reason: String) async {
        authenticator.streams.end(name)
        await sessions.credentialChanged(name, reason: reason)
    }

    private func cookie(_ value: String, seconds: Int) -> String {
        "\(LoginStore.cookie)=\(value); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Strict"
            + (secure ? "; Secure" : "")
    }

    var tokenEndpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/tokens", .role(.admin)) { call in
                let views = try await tokens.tokens(as: call.authenticated())
                return try .json(PageDocument(items: views.map { TokenDocument($0) }, nextCursor: nil))
            },
            Endpoint(.post, "/v1/tokens", .role(.admin)) { call in
                let fields = try BodyFields(await call.json(), allowed: ["name", "role", "user", "tenant"])
                guard let role = try fields.choice("role", of: Role.self) else {
                    throw Problem.invalid("'role' is missing", field: "role")
                }
                let tenant = try fields.string("tenant", most: 128)
                let user = try fields.string("user", most: 128).map { UserName(tenant: tenant, user: $0) }
                guard user != nil || tenant == nil else {
                    throw Problem.invalid("'user' is missing: whose of the tenant?", field: "user")
                }
                let made = try await tokens.createToken(
                    name: fields.string("name", most: 128), role: role, for: user, by: call.authenticated())
                return try .json(
                    TokenDocument(made.view, secret: made.secret), status: .created,
                    headers: [.location: "/v1/tokens/\(made.view.id)"])
            },
            Endpoint(.delete, "/v1/tokens/{id}", .role(.admin)) { call in
                let id = try call.parameter("id")
                let shares = try await tokens.deleteToken(id, by: call.authenticated())
                await takenBack(.token(id), "the token was revoked")
                for share in shares { await takenBack(.share(share), "the token that made the share link was revoked") }
                return Response(status: .noContent)
            },
        ]
    }
}
