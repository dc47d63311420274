import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Registry
import SessionCore
import Supervisor
import WorkerControl

/// Sends each WebSocket upgrade where it belongs, or answers why not. The worker carries the WebSocket itself; the
/// supervisor's part is who may have it.
struct UpgradeRouter: Sendable {
    let sessions: any SessionService
    let authenticator: Authenticator
    let logger: Logger

    private enum Target {
        case terminal(SessionID)
        case echokit(String)
    }

    func serve(_ upgrade: PendingUpgrade) async {
        do {
            let request = try CallerRequest(upgrade.head, channel: upgrade.channel)
            try authenticator.origins.checkHost(request)
            try request.query.refuseTokens()
            let target = try target(of: request)
            let session =
                switch target {
                case .terminal(let id): id
                case .echokit(let text): SessionID(parsing: text)
                }
            let principal = try await authenticator.caller(of: request, acceptsTicket: true, session: session)
            try Handshake.check(upgrade.head)
            switch target {
            case .terminal(let id): try await terminal(id, upgrade, request, principal)
            case .echokit(let text): try await echokit(text, upgrade, request, principal)
            }
        } catch {
            let problem = Problem(any: error)
            if problem.status == 500 {
                logger.error(
                    "upgrade failed", metadata: ["path": "\(upgrade.head.uri.prefix(200))", "error": "\(error)"])
            }
            upgrade.refuse(problem)
        }
    }

    private func target(of request: CallerRequest) throws(Problem) -> Target {
        let parts = request.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        switch parts.count {
        case 4 where parts.starts(with: ["v1", "sessions"]) && parts.last == "terminal":
            let text = parts[parts.startIndex + 2]
            guard let id = SessionID(parsing: text) else { throw Problem.notFound("the session '\(text.prefix(80))'") }
            return .terminal(id)
        case 2 where parts.first == "ws":
            guard let id = parts.last?.removingPercentEncoding, !id.isEmpty, id.utf8.count <= 200 else { break }
            return .echokit(id)
        default: break
        }
        throw Problem(404, "not_found", "there is no WebSocket at '\(request.path.prefix(200))'")
    }

    private func terminal(
        _ id: SessionID, _ upgrade: PendingUpgrade, _ request: CallerRequest, _ principal: Principal
    ) async throws {
        let wake = try request.query.bool("wake")
        if wake, principal.role < .user {
            throw Problem(403, "forbidden", "the role \(principal.role) may look at a session, not wake it")
        }
        let socket = try await sessions.clientSocket(id, wake: wake, by: principal)
        try await join(upgrade, to: socket, path: "/terminal", principal)
    }

    private func echokit(
        _ text: String, _ upgrade: PendingUpgrade, _ request: CallerRequest, _ principal: Principal
    ) async throws {
        if let id = SessionID(parsing: text), let socket = try await socketIfRunning(id, principal) {
            try await join(upgrade, to: socket, path: "/echokit", principal)
            return
        }
        guard principal.role >= .user else {
            throw Problem(
                409, "wrong_state", "the session does not run, and the role \(principal.role) cannot start it")
        }
        await Doorman(
            id: text, sessions: sessions, authenticator: authenticator, principal: principal,
            internalError: request.query["compat"] == "echokit-head" ? "InternalError" : "internal_error",
            logger: logger
        ).serve(upgrade)
    }

    /// The client socket of a session that runs already; nil when somebody must decide to start it.
    private func socketIfRunning(_ id: SessionID, _ principal: Principal) async throws -> String? {
        do throws(SupervisorError) {
            switch try await sessions.session(id, as: principal).record.lifecycle {
            case .running: return try await sessions.clientSocket(id, wake: false, by: principal)
            case .starting: return try await sessions.clientSocket(id, wake: true, by: principal)
            default: return nil
            }
        } catch {
            // Unknown, or parked since it was looked up.
            if error.code == .notFound || error.code == .wrongState { return nil }
            throw error
        }
    }

    /// Gives the client to the session's worker: the connection itself, or where that cannot be, its bytes.
    private func join(_ upgrade: PendingUpgrade, to socket: String, path: String, _ principal: Principal) async throws {
        // Waking a session takes a while.
        guard let principal = try await authenticator.current(principal) else {
            throw Problem(401, "bad_token", "what you were let in by was taken back")
        }
        let client = RelayedClient(principal)
        do {
            let offer = HandOverOffer(
                target: Handshake.target(upgrade.head, path: path), client: client,
                greeting: Handshake.greeting(to: upgrade.head))
            return try await upgrade.handOver(offer, to: WorkerSockets.handOver(beside: socket))
        } catch let error as HandOver.Impossible {
            logger.debug("client is relayed", metadata: ["reason": "\(error.reason)"])
        } catch let error as HandOver.Refused {
            throw Problem(error.status, "refused", error.detail, retryAfter: error.status == 503 ? 1 : nil)
        } catch let error as HandOver.Lost {
            throw unavailable(socket, error)
        }
        do {
            try await upgrade.relay(
                to: socket, request: Handshake.request(upgrade.head, path: path, client: client))
        } catch {
            throw unavailable(socket, error)
        }
    }

    private func unavailable(_ socket: String, _ error: any Error) -> Problem {
        logger.warning("worker takes no clients", metadata: ["socket": "\(socket)", "error": "\(error)"])
        return Problem(503, "unavailable", "the session's worker takes no connection; try again", retryAfter: 1)
    }
}

extension RelayedClient {
    init(_ principal: Principal) {
        self.init(
            principal: principal.name, access: principal.clientAccess,
            credential: principal.tokenID.map {
                ClientCredential(token: $0, login: principal.login?.id, expires: principal.login?.expires)
            })
    }
}
