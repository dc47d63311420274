import Dialects
import Foundation
import NIOCore
import NIOWebSocket
import SessionCore
import WorkerControl

/// A client of echokit's protocol. Too slow, it is sent nothing until it has drained, then the screen and the state.
final class EchokitClient: AttachedConnection, ClientSocketDelegate {
    let id: Int
    let dialect = "echokit"
    let principal: String
    var access: ClientAccess
    let credential: ClientCredential?
    let since = Date()
    let compatibility: EchokitCompatibility

    private let worker: SessionWorker
    private let socket: ClientSocket
    private var isBehind = true
    /// Messages were left out while it was behind.
    private var missedState = false

    init(
        _ relayed: RelayedClient, id: Int, compatibility: EchokitCompatibility, socket: ClientSocket,
        worker: SessionWorker
    ) {
        self.id = id
        self.principal = relayed.principal
        self.access = relayed.access
        self.credential = relayed.credential
        self.compatibility = compatibility
        self.socket = socket
        self.worker = worker
    }

    func attach() {
        worker.echokit.clients[id] = self
        worker.attached(self)
        worker.echokit.attached()
        catchUp()
    }

    /// One message, already encoded for everybody.
    func output(_ message: ByteBuffer) {
        guard !isBehind else { return }
        guard socket.isWritable else {
            isBehind = true
            return
        }
        socket.send(text: message)
    }

    var isAttached: Bool { worker.echokit.clients[id] != nil }

    func revoke(_ reason: String) { socket.revoke(reason) }

    func send(_ message: EchokitServerMessage) {
        guard socket.isWritable else {
            isBehind = true
            missedState = true
            return
        }
        write(message)
    }

    private func write(_ message: EchokitServerMessage) {
        let json = message.json(session: worker.configuration.sessionID, compatibility: compatibility)
        socket.send(text: json.encoded(allocator: socket.allocator))
    }

    func end() {
        write(.ended)
        socket.close(.normalClosure)
    }

    private func catchUp() {
        guard isBehind, socket.isWritable else { return }
        isBehind = false
        let screen = worker.screen.snapshot()
        var encoder = EchokitOutputEncoder()
        if screen.readableBytes > 0, let message = encoder.encode(screen, allocator: socket.allocator) {
            socket.send(text: message)
        }
        if missedState { write(.state(worker.echokit.state)) }
        missedState = false
    }

    func received(text: ByteBuffer) {
        guard let message = EchokitClientMessage(parsing: text.readableBytesView) else {
            return send(.malformed)
        }
        worker.echokit.take(message, from: EchokitSender(principal: principal, access: access)) { self.send($0) }
    }

    func received(binary: ByteBuffer) {
        worker.echokit.take(keys: binary, from: EchokitSender(principal: principal, access: access)) { self.send($0) }
    }

    func becameWritable() { catchUp() }

    func closed() {
        if isAttached { worker.detached(self) }
    }
}
