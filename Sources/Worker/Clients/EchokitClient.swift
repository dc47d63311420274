import Dialects
import Foundation
import NIOCore
import NIOWebSocket
import SessionCore
import WorkerControl

/// A client of echokit's protocol. Too slow, it is sent no output until it has drained, then the screen.
final class EchokitClient: AttachedConnection, ClientSocketDelegate {
    let id: Int
    let dialect = "echokit"
    let principal: String
    let access: ClientAccess
    let since = Date()
    let compatibility: EchokitCompatibility

    private let worker: SessionWorker
    private let socket: ClientSocket
    private var isBehind = true

    init(
        _ relayed: RelayedClient, id: Int, compatibility: EchokitCompatibility, socket: ClientSocket,
        worker: SessionWorker
    ) {
        self.id = id
        self.principal = relayed.principal
        self.access = relayed.access
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

    func send(_ message: EchokitServerMessage) {
        let json = message.json(session: worker.configuration.sessionID, compatibility: compatibility)
        socket.send(text: json.encoded(allocator: socket.allocator))
    }

    func end() {
        send(.ended)
        socket.close(.normalClosure)
    }

    private func catchUp() {
        guard isBehind, socket.isWritable else { return }
        isBehind = false
        let screen = worker.screen.snapshot()
        guard screen.readableBytes > 0 else { return }
        var encoder = EchokitOutputEncoder()
        if let message = encoder.encode(screen, allocator: socket.allocator) { socket.send(text: message) }
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
        if worker.echokit.clients[id] != nil { worker.detached(self) }
    }
}
