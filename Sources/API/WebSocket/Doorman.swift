import Foundation
import Logging
import NIOCore
import Registry
import SessionCore
import Supervisor
import WorkerControl

/// Receives an echokit client whose session does not run: what its first message says decides whether one is made
/// or resumed (seed protocols, 1.6). Each client has a doorman of its own, so none waits for another's.
struct Doorman: Sendable {
    private static let takenBack = "what you were let in by was taken back"
    /// How long a client may stay silent.
    static let patience: TimeAmount = .seconds(60)

    /// The path's id, as the client wrote it.
    let id: String
    let sessions: any SessionService
    let authenticator: Authenticator
    let principal: Principal
    /// The code for failures of the server: what the documentation says, or what echokit's head sends.
    let internalError: String
    let logger: Logger

    func serve(_ upgrade: PendingUpgrade) async {
        guard let client = try? await DoorwayClient(upgrade) else { return upgrade.channel.close(promise: nil) }
        await serve(client, upgrade, first: nil)
    }

    /// - Parameter first: what the client said already.
    func serve(_ client: DoorwayClient, _ upgrade: PendingUpgrade, first: Doorway.Message?) async {
        do {
            let ticket = authenticator.streams.open(for: principal) {
                Task { await client.close(RevokedClose.code, Self.takenBack) }
            }
            defer { if let ticket { authenticator.streams.close(ticket) } }
            if let first, try await answer(first, client, upgrade) { return }
            while true {
                let message = try await client.next(within: Self.patience)
                if try await answer(message, client, upgrade) { return }
            }
        } catch {
            // Gone, or told to go: the connection is closed either way.
            upgrade.channel.close(promise: nil)
        }
    }

    /// Returns true once the client is joined to a worker.
    private func answer(
        _ message: Doorway.Message, _ client: DoorwayClient, _ upgrade: PendingUpgrade
    ) async throws -> Bool {
        // It may have stood here for long, and what it says may make a session.
        guard let principal = try await authenticator.current(principal) else {
            await client.close(RevokedClose.code, Self.takenBack)
            throw Doorway.Gone()
        }
        var wakes = true
        if case .text(let text, _) = message {
            guard let parsed = EchokitMessage(parsing: text) else {
                try await client.send(EchokitError.unparsable.text)
                return false
            }
            wakes = parsed != .getCurrentState
        }
        guard let session = SessionID(parsing: id) else {
            let error = wakes ? EchokitError.badID(id) : .notFound(id)
            try await client.send(error.text)
            return false
        }
        do {
            let socket = wakes ? try await start(session, principal) : try await socketNow(session, principal)
            guard let socket else {
                try await client.send(EchokitError.notFound(id).text)
                return false
            }
            try await join(client, upgrade, to: socket, message, principal)
            return true
        } catch let error as SupervisorError {
            try await client.send(
                EchokitError.failed(id, internalError, "Failed to start claude terminal process: \(error.detail)").text)
        } catch let error as WorkerGreeting.Refused {
            logger.warning("worker refused a client", metadata: ["session": "\(session)", "error": "\(error)"])
            try await client.send(EchokitError.failed(id, internalError, error.description).text)
        } catch let error where error is IOError || error is HandOver.Lost {
            logger.warning("worker takes no clients", metadata: ["session": "\(session)", "error": "\(error)"])
            try await client.send(
                EchokitError.failed(id, internalError, "the session's worker takes no connection").text)
        }
        return false
    }

    /// The client itself, or where that cannot be, its bytes; with what it said here first.
    private func join(
        _ client: DoorwayClient, _ upgrade: PendingUpgrade, to socket: String, _ message: Doorway.Message,
        _ principal: Principal
    ) async throws {
        // Waking a session takes a while.
        guard let principal = try await authenticator.current(principal) else {
            await client.close(RevokedClose.code, Self.takenBack)
            throw Doorway.Gone()
        }
        let identity = RelayedClient(principal)
        do {
            let offer = HandOverOffer(
                target: Handshake.target(upgrade.head, path: "/echokit"), client: identity, greeting: nil)
            return try await client.handOver(offer, to: WorkerSockets.handOver(beside: socket), first: message.raw)
        } catch let error as HandOver.Impossible {
            logger.debug("client is relayed", metadata: ["reason": "\(error.reason)"])
        } catch let error as HandOver.Refused {
            throw WorkerGreeting.Refused(description: error.detail)
        }
        let request = try Handshake.request(upgrade.head, path: "/echokit", client: identity, bare: true)
        try await client.join(worker: socket, request: request, first: message.raw)
    }

    /// Makes or resumes the session and returns its client socket.
    private func start(_ id: SessionID, _ principal: Principal) async throws(SupervisorError) -> String? {
        try await sessions.ensureRunning(id, by: principal)
        return try await sessions.clientSocket(id, wake: true, by: principal)
    }

    /// The client socket if somebody else has started the session meanwhile.
    private func socketNow(_ id: SessionID, _ principal: Principal) async throws(SupervisorError) -> String? {
        do throws(SupervisorError) {
            guard try await sessions.session(id, as: principal).record.lifecycle == .running else { return nil }
            return try await sessions.clientSocket(id, wake: false, by: principal)
        } catch {
            if error.code == .notFound || error.code == .wrongState { return nil }
            throw error
        }
    }
}

extension SessionService {
    /// Echokit's way with an id: unknown makes a session, anything that does not run is resumed.
    func ensureRunning(_ id: SessionID, by principal: Principal) async throws(SupervisorError) {
        do throws(SupervisorError) {
            switch try await session(id, as: principal).record.lifecycle {
            case .parked, .stopped, .failed, .parking, .stopping: _ = try await resume(id, by: principal)
            case .queued, .starting, .running: break
            case .deleted: throw SupervisorError(.notFound, "the session \(id) was deleted")
            }
            return
        } catch {
            guard error.code == .notFound else { throw error }
        }
        do throws(SupervisorError) {
            _ = try await create(SessionCreation(id: id), idempotencyKey: nil, by: principal)
        } catch {
            // Two first messages at once: the other one made it.
            guard error.code == .exists else { throw error }
            _ = try await session(id, as: principal)
        }
    }
}
