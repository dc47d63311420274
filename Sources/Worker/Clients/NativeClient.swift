import Dialects
import Foundation
import NIOCore
import NIOWebSocket
import SessionCore
import WorkerControl

/// A client of the native terminal protocol (API v1, "Terminal WebSocket"), or of Companion's, which says no hello, is told
/// nothing but bytes and the end, and drives as soon as it types.
///
/// It never holds more than its socket's high-water mark, nor, once it acknowledges, more than ``backlogLimit``
/// unacknowledged: past either it is sent nothing until it has drained, and then the screen as it is.
final class NativeClient: AttachedConnection, ClientSocketDelegate {
    static let backlogLimit = 4 << 20
    private static let markEvery = 64 * 1024

    enum Wire {
        case native, companion
    }

    private enum Phase {
        case greeting(Scheduled<Void>)
        case live
        /// Too slow: waits to drain, then gets a snapshot.
        case behind
        case closed
    }

    let id: Int
    var dialect: String { wire == .native ? "native" : "companion-terminal" }
    private let wire: Wire
    let principal: String
    var access: ClientAccess {
        didSet {
            guard isAttached else { return }
            worker.perform(worker.lease.permit(id, canDrive: access == .drive, at: worker.monotonic))
        }
    }
    let credential: ClientCredential?
    let since = Date()
    /// The size of the client's own window, as it last said.
    private(set) var size: TerminalSize?

    private let worker: SessionWorker
    private let socket: ClientSocket
    private var phase: Phase
    private var flow = FlowWindow()
    private var sinceMark = 0
    private var sentSequence: UInt64 = 0
    private var markedSequence: UInt64 = 0
    private var lastRefusal = NIODeadline.uptimeNanoseconds(0)
    /// What it was not told while it was slow is told anew when it has drained.
    private var missedNews = false
    private var missedWarning: NativeServerMessage?

    init(
        _ relayed: RelayedClient, id: Int, wire: Wire = .native, socket: ClientSocket, worker: SessionWorker
    ) {
        self.id = id
        self.wire = wire
        self.principal = relayed.principal
        self.access = relayed.access
        self.credential = relayed.credential
        self.socket = socket
        self.worker = worker
        self.phase = .closed
        guard wire == .native else { return }
        phase = .greeting(
            worker.loop.assumeIsolated().scheduleTask(in: .seconds(10)) { [weak self] in
                self?.refuse("hello_missing", "the first message must be a hello")
                self?.socket.close(.policyViolation, reason: "no hello")
            })
    }

    func attach() {
        if wire == .companion { greet(since: nil, size: nil, mode: .drive) }
    }

    var isAttached: Bool { worker.nativeClients[id] != nil }

    // MARK: To the client

    /// A client that does not read is told nothing that it can be told later.
    func send(_ message: NativeServerMessage) {
        if case .closed = phase { return }
        if case .exit = message { return write(message) }
        guard !socket.isWritable else { return write(message) }
        missedNews = true
        if case .reapWarning = message { missedWarning = message }
    }

    private func write(_ message: NativeServerMessage) {
        guard wire == .companion else {
            return socket.send(text: message.encoded(allocator: socket.allocator))
        }
        guard let told = CompanionTerminalMessage.encode(message, allocator: socket.allocator) else { return }
        if told.isBinary { socket.send(binary: told.data) } else { socket.send(text: told.data) }
    }

    private func tellMissed() {
        guard missedNews, socket.isWritable, isAttached else { return }
        missedNews = false
        write(worker.stateMessage)
        write(worker.driverMessage(for: id))
        if let missedWarning { write(missedWarning) }
        missedWarning = nil
    }

    func revoke(_ reason: String) {
        if case .greeting(let deadline) = phase { deadline.cancel() }
        send(.error(code: "revoked", detail: reason))
        socket.revoke(reason)
    }

    func output(_ bytes: ByteBuffer, seq: UInt64) {
        guard case .live = phase else { return }
        guard hasRoom else {
            phase = .behind
            return
        }
        socket.send(binary: bytes)
        flow.sent(bytes.readableBytes)
        sentSequence = seq
        sinceMark += bytes.readableBytes
        if sinceMark >= Self.markEvery { mark() }
    }

    /// Tells the client how far it has come, if that is news.
    func mark() {
        guard case .live = phase, sentSequence > markedSequence else { return }
        markedSequence = sentSequence
        sinceMark = 0
        flow.marked(sentSequence)
        send(.mark(seq: sentSequence))
    }

    /// Shows the whole screen again, at once or when the client has drained.
    func repaint() {
        switch phase {
        case .greeting, .closed: return
        case .live, .behind:
            phase = .behind
            catchUp()
        }
    }

    private var hasRoom: Bool { socket.isWritable && flow.unacknowledged <= Self.backlogLimit }

    private func catchUp() {
        guard case .behind = phase, hasRoom else { return }
        phase = .live
        let snapshot = worker.snapshot()
        guard case .snapshot(let seq, _, let data) = snapshot else { return }
        flow.sent(data.readableBytes)
        flow.marked(seq)
        sentSequence = seq
        markedSequence = seq
        sinceMark = 0
        send(snapshot)
    }

    /// The session goes on under another worker in a moment: no end is told, and who comes back goes on where it was.
    func sendAway() {
        mark()
        socket.close(
            WebSocketErrorCode(codeNumber: 1012), reason: "the session goes on under another worker: come back")
    }

    func end(_ exit: ExitStatus?, reason: Reason) {
        mark()
        send(.exit(exit, reason: reason))
        socket.close(.normalClosure)
    }

    /// Errors are few: a client that goes on does not get one for each frame.
    private func refuse(_ code: String, _ detail: String) {
        guard NIODeadline.now() - lastRefusal > .milliseconds(250) else { return }
        lastRefusal = .now()
        send(.error(code: code, detail: detail))
    }

    // MARK: From the client

    func received(binary: ByteBuffer) {
        guard case .greeting = phase else { return keys(binary) }
        refuse("hello_missing", "the first message must be a hello")
    }

    private func keys(_ bytes: ByteBuffer) {
        guard access == .drive else { return refuse("view_only", "this connection may only watch the session") }
        guard worker.lease.drives(id) else {
            return refuse("not_driving", "another client drives this session; send take_over first")
        }
        do {
            try worker.send(keys: bytes, sender: principal)
        } catch {
            refuse(error.code, error.detail)
        }
    }

    func received(text: ByteBuffer) {
        guard wire == .native else { return receivedOfCompanion(String(buffer: text)) }
        let message: NativeClientMessage
        do {
            message = try NativeClientMessage(parsing: text.readableBytesView)
        } catch {
            return refuse(error.code, error.description)
        }
        if case .greeting(let deadline) = phase {
            guard case .hello(let since, let size, let mode) = message else {
                return refuse("hello_missing", "the first message must be a hello")
            }
            deadline.cancel()
            return greet(since: since, size: size, mode: mode)
        }
        perform(message)
    }

    /// Its people have no word to take over with: whoever types, drives.
    private func receivedOfCompanion(_ text: String) {
        do throws(ClientMessageError) {
            switch try CompanionTerminalMessage(parsing: text) {
            case .input(let keys):
                if access == .drive, !worker.lease.drives(id) { perform(.takeOver) }
                self.keys(ByteBuffer(string: keys))
            case .resize(let size): perform(.resize(size))
            }
        } catch {
            refuse("bad_message", error.description)
        }
    }

    private func perform(_ message: NativeClientMessage) {
        do {
            try take(message)
        } catch let refusal as DriverLease.Refusal {
            // The size of a watcher's window is remembered, and no fault.
            if case .resize = message, case .notDriver = refusal { return }
            refuse("not_allowed", refusal.description)
        } catch {
            refuse("not_allowed", "\(error)")
        }
    }

    private func greet(since: UInt64?, size: TerminalSize?, mode: NativeClientMessage.Mode) {
        phase = .live
        self.size = size
        worker.nativeClients[id] = self
        worker.attached(self)
        send(worker.stateMessage)
        let actions = worker.lease.attach(
            id, canDrive: access == .drive, wantsToDrive: mode == .drive, size: size, at: worker.monotonic)
        if let since, let bytes = worker.replay(since: since) {
            sentSequence = since
            markedSequence = since
            for part in bytes {
                socket.send(binary: part)
                flow.sent(part.readableBytes)
            }
            sentSequence = worker.log.lastSequence
            mark()
        } else {
            phase = .behind
            catchUp()
        }
        send(worker.driverMessage(for: id))
        worker.perform(actions)
        // Not driving, and a grid of its own: it needs to know the session's.
        if !worker.lease.drives(id), since != nil, size != worker.screen.size { repaint() }
    }

    private func take(_ message: NativeClientMessage) throws {
        switch message {
        case .hello: refuse("hello_again", "a connection says hello once")
        case .ping: send(.pong)
        case .ack(let seq):
            flow.acknowledged(seq)
            catchUp()
        case .takeOver:
            worker.perform(try worker.lease.takeOver(id, canDrive: access == .drive, at: worker.monotonic))
        case .resize(let size):
            self.size = size
            worker.perform(try worker.lease.resize(id, to: size, at: worker.monotonic))
        }
    }

    func becameWritable() {
        catchUp()
        tellMissed()
    }

    func closed() {
        if case .greeting(let deadline) = phase { deadline.cancel() }
        phase = .closed
        if isAttached { worker.detached(self) }
    }
}

/// How much was sent that the client has not acknowledged. A client that never acknowledges is not held to it:
/// then its socket alone is the measure.
struct FlowWindow {
    private var sent: UInt64 = 0
    private var acknowledgedBytes: UInt64 = 0
    private var marks: CircularBuffer<(seq: UInt64, sent: UInt64)> = []
    private var acknowledges = false

    var unacknowledged: Int { acknowledges ? Int(sent - acknowledgedBytes) : 0 }

    mutating func sent(_ bytes: Int) { sent += UInt64(bytes) }

    mutating func marked(_ seq: UInt64) {
        marks.append((seq, sent))
        if marks.count > 1024 { marks.removeFirst() }
    }

    mutating func acknowledged(_ seq: UInt64) {
        acknowledges = true
        while let mark = marks.first, mark.seq <= seq {
            acknowledgedBytes = mark.sent
            marks.removeFirst()
        }
    }
}
