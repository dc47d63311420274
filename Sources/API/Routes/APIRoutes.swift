import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Registry
import SessionCore
import Supervisor

/// The whole API, as a table of endpoints and the router made of it.
struct APIRoutes: Sendable {
    let sessions: any SessionService
    let tokens: any TokenService
    let usage: any UsageService
    let credentials: any CredentialService
    var secrets: (any SecretService)?
    let budgets: any BudgetService
    let authenticator: Authenticator
    var shares: (any ShareService)?
    let dialects: DialectHubs
    let site: StaticSite
    /// The listeners speak TLS, so cookies are for TLS only.
    let secure: Bool
    var transcription: TranscriptionProxy?
    /// What the listener speaks.
    var face = ListenerFace.all

    var endpoints: [Endpoint] {
        serviceEndpoints + accessEndpoints + shareEndpoints + sessionEndpoints + sessionFactEndpoints + eventEndpoints
            + pastEndpoints + commandEndpoints + usageEndpoints + credentialEndpoints + secretEndpoints
            + budgetEndpoints + policyEndpoints + tokenEndpoints + accountEndpoints + echokitEndpoints
            + companionEndpoints
            + agentAPIEndpoints + claudeRemoteEndpoints
    }

    /// WebSockets, which never reach the router as such; a plain request for one does, and is told so.
    static let upgrades = [
        "/v1/sessions/{id}/terminal", "/v1/sessions/{id}/stream", "/ws", "/ws/{id}", "/ws/browser/{id}",
        "/ws/terminal/{id}",
        "/ws/cli/{id}",
    ]

    func router(logger: Logger) -> Router<APIContext> {
        let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
        let table =
            endpoints
            + Self.upgrades.map { path in
                Endpoint(.get, path, .anyone) { _ in
                    throw Problem(
                        426, "upgrade_required",
                        "this is a WebSocket: send the upgrade as the first request of a new connection",
                        headers: ["upgrade": "websocket", "connection": "close"])
                }
            }
        router.add(middleware: Envelope(table: table, origins: authenticator.origins, site: site, logger: logger))
        for endpoint in table {
            router.on(RouterPath(endpoint.path), method: endpoint.method) { request, context in
                try await call(endpoint, request, context)
            }
        }
        return router
    }

    private func call(_ endpoint: Endpoint, _ request: Request, _ context: APIContext) async throws -> Response {
        let caller = try CallerRequest(request, channel: context.channel)
        var principal: Principal?
        if case .role(let needed) = endpoint.access {
            let session = context.parameters.get("id").flatMap { SessionID(parsing: $0) }
            let found = try await authenticator.caller(
                of: caller, acceptsTicket: endpoint.acceptsTicket, acceptsShare: endpoint.acceptsShare,
                session: session)
            guard found.role >= needed else {
                throw Problem(
                    403, "forbidden", "this needs the role \(needed) or a higher one; yours is \(found.role)")
            }
            principal = found
        }
        return try await endpoint.handle(
            Call(request: request, context: context, caller: caller, principal: principal))
    }
}

/// Around every request: an id, the checks of Host and target, the page's files, problems instead of errors, and the
/// headers that every response has.
struct Envelope: RouterMiddleware {
    typealias Context = APIContext

    let table: [Endpoint]
    let origins: OriginPolicy
    let site: StaticSite
    let logger: Logger

    private static let requestID = HTTPField.Name("x-request-id")
    private static let headers: [(HTTPField.Name, String)] = SecurityHeaders.fields.compactMap { name, value in
        HTTPField.Name(name).map { ($0, value) }
    }

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let id = UUID().uuidString.lowercased()
        var response: Response
        do {
            let caller = try CallerRequest(request, channel: context.channel)
            try origins.checkHost(caller)
            try caller.query.refuseTokens()
            response = try await respond(request, caller, context, next)
        } catch {
            let problem = Problem(any: error)
            if problem.status == 500 {
                logger.error(
                    "request failed",
                    metadata: [
                        "request": "\(id)", "path": "\(request.uri.path.prefix(200))", "error": "\(error)",
                    ])
            }
            response = Response(problem)
        }
        if let name = Self.requestID { response.headers[name] = id }
        for (name, value) in Self.headers { response.headers[name] = value }
        return response
    }

    private func respond(
        _ request: Request, _ caller: CallerRequest, _ context: APIContext,
        _ next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            if let file = site.file(at: caller.path), ["GET", "HEAD"].contains(caller.method) {
                return file.response(to: request)
            }
            let allowed = table.filter { $0.matches(caller.path) }.map(\.method.rawValue)
            guard allowed.isEmpty else {
                throw Problem(
                    405, "method_not_allowed", "\(caller.method) is not a method of '\(caller.path.prefix(200))'",
                    headers: ["allow": Set(allowed).sorted().joined(separator: ", ")])
            }
            throw Problem(404, "not_found", "there is nothing at '\(caller.path.prefix(200))'")
        }
    }
}
