import Dialects
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
    let dialects: DialectHubs
    let logger: Logger
    /// What the connection's listener speaks.
    var face = ListenerFace.all

    private enum Target {
        /// The name of the worker's WebSocket: `terminal`, `companion` (a terminal too) or `stream`.
        case session(SessionID, String)
        case echokit(String)
        case shared
        case claudeSocket
        case companion(SessionID)
        /// A program that runs elsewhere.
        case program(SessionID)

        /// What a ticket may be bound to.
        var session: SessionID? {
            switch self {
            case .session(let id, _), .companion(let id), .program(let id): id
            case .echokit(let text): SessionID(parsing: text)
            case .shared, .claudeSocket: nil
            }
        }

        /// Whether a share link opens it: a session's own WebSockets.
        var acceptsShare: Bool {
            if case .session = self { true } else { false }
        }
    }

    func serve(_ upgrade: PendingUpgrade) async {
        do {
            let request = try CallerRequest(upgrade.head, channel: upgrade.channel)
            try authenticator.origins.checkHost(request)
            try request.query.refuseTokens()
            let target = try target(of: request)
            if case .shared = target {
                try Handshake.check(upgrade.head)
                return try await shared(upgrade, request)
            }
            if case .program(let id) = target, try request.query.bool("wrap") {
                try Handshake.check(upgrade.head)
                return try await wrapped(id, upgrade, request)
            }
            let principal = try await authenticator.caller(
                of: request, acceptsTicket: true, acceptsShare: target.acceptsShare, session: target.session)
            try Handshake.check(upgrade.head)
            switch target {
            case .claudeSocket: try await dialects.claudeSocket.serve(upgrade, request, principal)
            case .companion(let id): try await dialects.companion.serve(id, upgrade, request, principal)
            case .program(let id): try await program(id, upgrade, principal)
            case .shared: break
            case .session(let id, let name): try await join(id, name, upgrade, request, principal)
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
        // On a listener of its own, claude-socket takes any path.
        if face == .claudeSocket || request.path == "/" { return .claudeSocket }
        let parts = request.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        switch parts.count {
        case 1 where parts.first == "ws": return .shared
        case 3 where parts.starts(with: ["ws", "browser"]):
            let text = parts[parts.startIndex + 2]
            guard let id = SessionID(parsing: text) else { throw Problem.notFound("the session '\(text.prefix(80))'") }
            return .companion(id)
        case 3 where parts.starts(with: ["ws", "terminal"]):
            let text = parts[parts.startIndex + 2]
            guard let id = SessionID(parsing: text) else { throw Problem.notFound("the session '\(text.prefix(80))'") }
            return .session(id, "companion")
        case 3 where parts.starts(with: ["ws", "cli"]):
            let text = parts[parts.startIndex + 2]
            guard let id = SessionID(parsing: text) else { throw Problem.notFound("the session '\(text.prefix(80))'") }
            return .program(id)
        case 4 where parts.starts(with: ["v1", "sessions"]) && ["terminal", "stream"].contains(parts.last):
            let text = parts[parts.startIndex + 2]
            guard let id = SessionID(parsing: text) else { throw Problem.notFound("the session '\(text.prefix(80))'") }
            return .session(id, String(parts.last ?? "terminal"))
        case 2 where parts.first == "ws":
            guard let id = parts.last?.removingPercentEncoding, !id.isEmpty, id.utf8.count <= 200 else { break }
            return .echokit(id)
        default: break
        }
        throw Problem(404, "not_found", "there is no WebSocket at '\(request.path.prefix(200))'")
    }

    private func join(
        _ id: SessionID, _ name: String, _ upgrade: PendingUpgrade, _ request: CallerRequest, _ principal: Principal
    ) async throws {
        if name == "stream", let stream = try await dialects.streams.stream(id, as: principal) {
            return try await follow(stream, upgrade, request, principal)
        }
        let wake = try request.query.bool("wake")
        if wake, principal.role < .user {
            throw Problem(403, "forbidden", "the role \(principal.role) may look at a session, not wake it")
        }
        // Refused before it is started for nothing; of a running one the worker says the same.
        if wake, name != "stream", try await sessions.session(id, as: principal).record.kind == .structured {
            throw SupervisorError.noScreen(id)
        }
        let socket = try await sessions.clientSocket(id, wake: wake, by: principal)
        try await join(upgrade, to: socket, path: "/\(name)", principal)
    }

    /// A session without a worker: its stream is served here.
    private func follow(
        _ stream: RemoteStream, _ upgrade: PendingUpgrade, _ request: CallerRequest, _ principal: Principal
    ) async throws {
        var since: UInt64?
        if let text = request.query["since"] {
            guard let number = UInt64(text) else {
                throw Problem.invalid("the query's 'since' must be a sequence number", field: "since")
            }
            since = number
        }
        let connection = try await DialectConnection(
            upgrade, authenticator, principal, largest: RemoteStreamConnection.largestMessage)
        await RemoteStreamClient(stream, sessions, connection).run(since: since)
    }

    /// A program on stream-json that dials in by itself.
    private func program(_ id: SessionID, _ upgrade: PendingUpgrade, _ principal: Principal) async throws {
        guard principal.role >= .user else {
            throw Problem(403, "forbidden", "the role \(principal.role) may look at sessions, not be one")
        }
        let stream = try await stream(id, principal)
        let client = try await DoorwayClient(upgrade, largest: RemoteStreamConnection.largestMessage)
        let authenticator = authenticator
        await RemoteStreamConnection(stream, client, isWrapped: false) {
            (try? await authenticator.current(principal)) != nil
        }.run()
    }

    /// The same with what numbers its lines: the first message says which device it is.
    private func wrapped(_ id: SessionID, _ upgrade: PendingUpgrade, _ request: CallerRequest) async throws {
        guard let remote = dialects.remote, request.origin == nil else {
            throw Problem(404, "not_found", "this server takes no sessions from elsewhere")
        }
        let client = try await DoorwayClient(upgrade, largest: RemoteStreamConnection.largestMessage)
        do {
            guard case .text(let text, _) = try await client.next(within: ClaudeRemoteConnection.patience),
                case .auth(let proof, _) = try ClaudeRemoteClientMessage(parsing: text)
            else { return await client.close(1008, "the first message must be 'auth'") }
            let device = try await remote.admit(proof)
            let stream = try await stream(id, Principal(device))
            await RemoteStreamConnection(stream, client, isWrapped: true) {
                (try? await remote.registry.allDevices().contains { $0.id == device.id }) ?? true
            }.run()
        } catch let refusal as ClaudeRemoteGate.Refusal {
            await client.close(1008, refusal.reason)
        } catch let problem as Problem {
            await client.close(1008, problem.detail)
        } catch {
            await client.close(1008, "the first message must be 'auth'")
        }
    }

    private func stream(_ id: SessionID, _ principal: Principal) async throws -> RemoteStream {
        if let known = try? await sessions.session(id, as: principal), known.record.kind != .remote {
            throw Problem(409, "exists", "the session \(id) runs here: choose another id")
        }
        return try await dialects.streams.open(id, for: principal)
    }

    /// `/ws` without an id: the first message says whose it is. A CLI that dials in says who it is in that message; all
    /// others said so before.
    private func shared(_ upgrade: PendingUpgrade, _ request: CallerRequest) async throws {
        var session = SessionID()
        if let text = request.query["id"] {
            guard let id = SessionID(parsing: text) else {
                throw Problem.invalid("the query's 'id' must be a UUID", field: "id")
            }
            session = id
        }
        var principal: Principal?
        do {
            principal = try await authenticator.caller(of: request, acceptsTicket: true, session: session)
        } catch {
            // A page of another origin is refused, whoever it speaks for.
            guard error.status == 401, dialects.remote != nil, request.origin == nil else { throw error }
        }
        let client = try await DoorwayClient(upgrade)
        do {
            while true {
                let patience = principal == nil ? ClaudeRemoteConnection.patience : Doorman.patience
                let first = try await client.next(within: patience)
                if try await take(first, client, upgrade, request, session, principal) { return }
            }
        } catch {
            upgrade.channel.close(promise: nil)
        }
    }

    /// Returns true once the client has been served.
    private func take(
        _ first: Doorway.Message, _ client: DoorwayClient, _ upgrade: PendingUpgrade, _ request: CallerRequest,
        _ session: SessionID, _ principal: Principal?
    ) async throws -> Bool {
        var kind = SharedSocketProtocol.unknown
        var text = ""
        if case .text(let said, _) = first {
            text = said
            kind = SharedSocketProtocol(first: said)
        }
        if face == .claudeRemote, kind == .echokit { kind = .unknown }
        switch (kind, principal) {
        case (.claudeRemote, _):
            guard let remote = dialects.remote else { break }
            await ClaudeRemoteConnection(remote, client).run(first: text)
            return true
        case (.echokit, let principal?):
            if EchokitCommand(parsing: text) != nil {
                let connection = DialectConnection(client, authenticator, principal)
                await EchokitCommandConnection(sessions, dialects.commands, connection, session: session)
                    .run(first: first)
            } else {
                await doorman(session.description, request, principal).serve(client, upgrade, first: first)
            }
            return true
        case (.unknown, .some) where face != .claudeRemote:
            try await client.send(EchokitError.unparsable.text)
            return false
        default: break
        }
        await client.close(1008, "the first message must be 'auth'")
        return true
    }

    private func doorman(_ id: String, _ request: CallerRequest, _ principal: Principal) -> Doorman {
        Doorman(
            id: id, sessions: sessions, authenticator: authenticator, principal: principal,
            internalError: request.query["compat"] == "echokit-head" ? "InternalError" : "internal_error",
            logger: logger)
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
        await doorman(text, request, principal).serve(upgrade)
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

extension Principal {
    /// Whose device it is.
    init(_ device: DeviceRecord) {
        self.init(
            tenantID: device.tenantID, userID: device.ownerID, name: device.owner, role: .user, tokenID: nil)
    }
}

extension RelayedClient {
    init(_ principal: Principal) {
        self.init(
            principal: principal.name, access: principal.clientAccess, credential: ClientCredential(principal),
            isAdmin: principal.role >= .admin)
    }
}
