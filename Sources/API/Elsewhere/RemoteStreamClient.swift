import Foundation
import Registry
import SessionCore
import Supervisor
import WorkerControl

/// A client of `…/stream` of a session whose program runs elsewhere: the same messages as a worker's.
actor RemoteStreamClient {
    /// Commands whose answers have not been sent.
    private static let mostCommands = 64

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
        guard case .text(let text, _) = message else {
            return try await answer(nil, .failed(CommandFailure("malformed_command", "commands are text, not binary")))
        }
        guard let object = JSONValue(parsing: text, limit: RemoteStreamConnection.largestMessage) else {
            return try await answer(nil, .failed(CommandFailure("malformed_command", "a command is a JSON object")))
        }
        let number = object["id"]
        if object["type"]?.string == "ping" { return try await connection.send(["type": "pong"]) }
        guard commands < Self.mostCommands else {
            return try await answer(
                number, .failed(CommandFailure("input_backlog", "\(Self.mostCommands) commands wait for their answers"))
            )
        }
        let command: SessionCommand
        do throws(CommandSyntaxError) { command = try SessionCommand(object) } catch {
            return try await answer(number, .failed(CommandFailure(error.code, error.description)))
        }
        commands += 1
        Task {
            var outcome: CommandOutcome
            do throws(SupervisorError) {
                outcome = try await sessions.command(stream.id, command, by: principal)
            } catch {
                outcome = .failed(CommandFailure(error.code.rawValue, error.detail))
            }
            commands -= 1
            do { try await answer(number, outcome) } catch { connection.drop() }
        }
    }

    private func answer(_ number: JSONValue?, _ outcome: CommandOutcome) async throws {
        var frame: [String: JSONValue] = ["type": "answer", "id": number ?? .null]
        switch outcome {
        case .done(let data):
            frame["ok"] = true
            frame["data"] = data
        case .failed(let failure):
            frame["ok"] = false
            var error: [String: JSONValue] = ["code": .string(failure.code), "detail": .string(failure.detail)]
            error["data"] = failure.data
            frame["error"] = .object(error)
        }
        try await connection.send(.object(frame))
    }
}
