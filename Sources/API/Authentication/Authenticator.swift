import Registry
import SessionCore
import Supervisor

/// Turns a request into a caller: bearer token, ticket, login cookie, or the local admin of `--auth none`.
struct Authenticator: Sendable {
    let mode: AuthenticationMode
    let tokens: any TokenService
    var shares: (any ShareService)?
    let origins: OriginPolicy
    let logins = LoginStore()
    let tickets = TicketStore()
    let throttle = LoginThrottle()
    let streams = OpenStreams()

    /// - Parameters:
    ///   - acceptsTicket: whether this is a WebSocket or an SSE stream.
    ///   - acceptsShare: whether this is for whoever holds a share link too.
    ///   - session: the session the request is for, which a ticket may be bound to, and a share link is.
    func caller(
        of request: CallerRequest, acceptsTicket: Bool = false, acceptsShare: Bool = false, session: SessionID? = nil
    ) async throws(Problem) -> Principal {
        let principal = try await anyCaller(of: request, acceptsTicket: acceptsTicket, session: session)
        guard let share = principal.share else { return principal }
        guard acceptsShare else {
            throw Problem(403, "forbidden", "a share link opens its session, and this is something else")
        }
        if let session, session != share.session { throw Problem(404, "not_found", "there is no session \(session)") }
        return principal
    }

    private func anyCaller(
        of request: CallerRequest, acceptsTicket: Bool, session: SessionID?
    ) async throws(Problem) -> Principal {
        if let authorization = request.authorization {
            return try await bearer(authorization)
        }
        if acceptsTicket, let ticket = request.query["ticket"] {
            // What it was given for may have been taken back since.
            guard let holder = tickets.redeem(ticket, session: session), let principal = try await current(holder)
            else {
                throw Problem(
                    401, "bad_ticket",
                    "the ticket is unknown, used, older than 30 s or for another session; get a new one")
            }
            return principal
        }
        if let value = request.cookie(LoginStore.cookie), let (tokenID, login) = logins.login(of: value) {
            guard
                var principal = try await lookUp({ () async throws(SupervisorError) in
                    try await tokens.principal(tokenID: tokenID)
                })
            else {
                logins.close(value)
                throw Problem(401, "login_ended", "the token of this login was revoked; log in again")
            }
            try origins.checkOrigin(request, required: true)
            principal.login = login
            return principal
        }
        switch mode {
        case .none(let admin):
            try origins.checkOrigin(request, required: false)
            return admin
        case .token:
            throw Problem(
                401, "unauthenticated",
                "send 'Authorization: Bearer <token>', or log in with POST /v1/auth/login; "
                    + "'rookery token create' makes a token")
        }
    }

    /// A caller as it is by now; nil when its token or share link was revoked or its login has ended.
    func current(_ principal: Principal) async throws(Problem) -> Principal? {
        if let share = principal.share {
            return try await lookUp { () async throws(SupervisorError) in
                try await shares?.principal(shareID: share.id)
            }
        }
        guard let tokenID = principal.tokenID else { return principal }
        if let login = principal.login, !logins.isOpen(login) { return nil }
        var found = try await lookUp { () async throws(SupervisorError) in
            try await tokens.principal(tokenID: tokenID)
        }
        found?.login = principal.login
        return found
    }

    private func bearer(_ authorization: String) async throws(Problem) -> Principal {
        let parts = authorization.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer", parts[1].utf8.count <= 512 else {
            throw Problem(401, "bad_authorization", "the Authorization header must be 'Bearer <token>'")
        }
        guard
            let principal = try await lookUp({ () async throws(SupervisorError) in
                let text = String(parts[1])
                guard text.hasPrefix(ShareLink.prefix) else { return try await tokens.principal(token: text) }
                return try await shares?.principal(share: text)
            })
        else {
            throw Problem(401, "bad_token", "the token or share link is unknown, revoked or expired")
        }
        return principal
    }

    private func lookUp(
        _ find: () async throws(SupervisorError) -> Principal?
    ) async throws(Problem) -> Principal? {
        do throws(SupervisorError) {
            return try await find()
        } catch {
            throw Problem(error)
        }
    }

    /// Exchanges a token for a login cookie.
    func logIn(
        token: String, from request: CallerRequest
    ) async throws(Problem) -> (principal: Principal, cookie: String?, document: LoginDocument) {
        if case .none(let admin) = mode {
            try origins.checkOrigin(request, required: false)
            return (admin, nil, LoginDocument(name: admin.name, role: admin.role, expiresAt: nil))
        }
        try origins.checkOrigin(request, required: false)
        try throttle.check(request.remote)
        guard token.utf8.count <= 512,
            let principal = try await lookUp({ () async throws(SupervisorError) in
                try await tokens.principal(token: token)
            }), let tokenID = principal.tokenID
        else {
            throttle.failed(request.remote)
            throw Problem(401, "bad_token", "the token is unknown or revoked")
        }
        let login = logins.open(tokenID: tokenID)
        return (
            principal, login.value, LoginDocument(name: principal.name, role: principal.role, expiresAt: login.expires)
        )
    }
}
