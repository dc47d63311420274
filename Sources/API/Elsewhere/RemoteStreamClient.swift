import Foundation
import Registry
import SessionCore
import Supervisor
import WorkerControl

/// A client of `…/stream` of a session whose program runs elsewhere: the same messages as a worker's.
actor RemoteStreamClient {
    private let stream: RemoteStream
    private let sessions: any SessionService
    private let connection: DialectConnection
    private var commands = 0

    init(_ stream: RemoteStream, _ sessions: any SessionService, _ connection: DialectConnection) {
        self.stream = stream
        self.sessions = sessions
        self.connection = connection
    }

    func run(since: UInt64?) async {
        let connection = connection
        let pump = Task { [stream] in
            do {
                let (standing, seq, events) = try await stream.follow(since: since)
                try await connection.send([
                    "type": "state", "seq": .integer(Int64(clamping: seq)),
                    "session_id": .string(stream.id.description),
                    "incarnation": .integer(Int64(stream.origin.incarnation)),
                    "access": .string(connection.principal.clientAccess.rawValue), "data": standing,
                ])
                for await event in events {
                    let data = try JSONEncoder.rookery.encode(event)
                    try await connection.client.send(String(decoding: data, as: UTF8.self))
                }
                if !Task.isCancelled { await connection.client.close(1000, "the session is gone") }
            } catch {
                connection.drop()
            }
        }
        await connection.run { message, principal in try await self.take(message, principal) }
        pump.cancel()
    }

    private func take(_ message: Doorway.Message, _ principal: Principal) async throws {
        let said: StreamClientMessage
        do throws(StreamClientMessage.Refused) {
            guard case .text(let text, _) = message else { throw .binary }
            said = try StreamClientMessage(
                parsing: text, limit: RemoteStreamConnection.largestMessage, waiting: commands)
        } catch {
            return try await connection.send(CommandOutcome.failed(error.failure).answer(to: error.number))
        }
        switch said {
        case .ping: try await connection.send(["type": "pong"])
        case .command(let number, let command): take(command, number, principal)
        }
    }

    private func take(_ command: SessionCommand, _ number: JSONValue?, _ principal: Principal) {
        commands += 1
        Task {
            let outcome: CommandOutcome
            do throws(SupervisorError) {
                outcome = try await sessions.command(stream.id, command, by: principal)
            } catch {
                outcome = .failed(CommandFailure(error.code.rawValue, error.detail))
            }
            commands -= 1
            do { try await connection.send(outcome.answer(to: number)) } catch { connection.drop() }
        }
    }
}
