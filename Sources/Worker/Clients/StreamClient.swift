import Dialects
import Foundation
import NIOCore
import NIOWebSocket
import SessionCore
import WorkerControl

/// A client of `…/stream`: the session's events as they are logged, and commands with their answers, one JSON object a
/// message.
///
/// A slow client is sent nothing more until it has drained, and then what it has missed, from the log; what is no longer
/// there is a `gap`.
final class StreamClient: AttachedConnection, ClientSocketDelegate {
    /// Read from the log at a time.
    private static let step = 256 * 1024

    let id: Int
    let dialect = "stream"
    let principal: String
    var access: ClientAccess
    let credential: ClientCredential?
    let since = Date()

    private let worker: SessionWorker
    private let socket: ClientSocket
    private let isAdmin: Bool
    /// Everything through this number was sent, or is not wanted.
    private var sent: UInt64
    private let wantsPast: Bool
    private var isBehind = true
    private var commands = 0

    init(_ relayed: RelayedClient, id: Int, since: UInt64?, socket: ClientSocket, worker: SessionWorker) {
        self.id = id
        principal = relayed.principal
        access = relayed.access
        credential = relayed.credential
        isAdmin = relayed.isAdmin ?? false
        self.socket = socket
        self.worker = worker
        wantsPast = since != nil
        sent = since ?? worker.log.lastSequence
    }

    var isAttached: Bool { worker.streamClients[id] != nil }

    func attach() {
        worker.streamClients[id] = self
        worker.attached(self)
        // Where it stands, and then all that comes after.
        if !wantsPast { sent = worker.log.lastSequence }
        send([
            "type": "state", "seq": .integer(Int64(clamping: worker.log.lastSequence)),
            "session_id": .string(worker.configuration.sessionID.description),
            "incarnation": .integer(Int64(worker.configuration.incarnation)), "access": .string(access.rawValue),
            "data": worker.standing,
        ])
        catchUp()
    }

    func revoke(_ reason: String) { socket.revoke(reason) }

    func end() {
        catchUp()
        socket.close(.normalClosure)
    }

    // MARK: To the client

    func publish(_ event: SessionEvent) {
        guard !isBehind, socket.isWritable else {
            isBehind = true
            return
        }
        write(event)
    }

    private func write(_ event: SessionEvent) {
        sent = max(sent, event.seq)
        guard let data = try? JSONEncoder.rookery.encode(event) else { return }
        socket.send(text: socket.allocator.buffer(bytes: data))
    }

    private func send(_ value: JSONValue) { socket.send(text: value.encoded(allocator: socket.allocator)) }

    private func catchUp() {
        while isBehind, socket.isWritable {
            let reading = worker.log.events(since: sent, limit: Self.step)
            for event in reading.events { write(event) }
            sent = max(sent, reading.next)
            if reading.isComplete { isBehind = false }
        }
    }

    func becameWritable() { catchUp() }

    // MARK: From the client

    func received(text: ByteBuffer) {
        do throws(StreamClientMessage.Refused) {
            switch try StreamClientMessage(
                parsing: String(buffer: text), limit: ClientSocket.largestCommand, waiting: commands)
            {
            case .ping: send(["type": "pong"])
            case .command(let number, let command): take(command, number)
            }
        } catch { refuse(error) }
    }

    private func take(_ command: SessionCommand, _ number: JSONValue?) {
        commands += 1
        let origin = CommandOrigin(principal: principal, access: access, isAdmin: isAdmin)
        worker.take(command, from: origin) { [weak self] outcome in
            guard let self else { return }
            self.commands -= 1
            self.answer(number, outcome)
        }
    }

    func received(binary: ByteBuffer) { refuse(.binary) }

    private func refuse(_ refused: StreamClientMessage.Refused) { answer(refused.number, .failed(refused.failure)) }

    private func answer(_ number: JSONValue?, _ outcome: CommandOutcome) {
        // Events can be told later, answers cannot.
        guard socket.isWritable else { return socket.close(.policyViolation, reason: "answers are not read") }
        send(outcome.answer(to: number))
    }

    func closed() {
        if isAttached { worker.detached(self) }
    }
}
