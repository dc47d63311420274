import Dialects
import Foundation
import NIOCore
import SessionCore
import WorkerControl

/// Who sends an echokit message, by WebSocket or by REST.
struct EchokitSender {
    var principal: String
    var access: ClientAccess
}

/// The session as echokit's clients see it: one state, and messages that go to all of them.
final class EchokitHub {
    var clients: [Int: EchokitClient] = [:]
    weak var worker: SessionWorker?

    private let sessionID: SessionID
    private let loop: any EventLoop
    private var session = EchokitSession()
    private var encoder = EchokitOutputEncoder()
    private var repetition: Scheduled<Void>?
    /// Callers of the REST route that wait for what their message leads to.
    private var waiting: [Waiter] = []
    /// The caller whose message is being taken: an error that it causes is its answer.
    private var current: Waiter?

    private final class Waiter {
        var answer: ((JSONValue) -> Void)?
        init(_ answer: @escaping (JSONValue) -> Void) { self.answer = answer }
        func finish(_ value: JSONValue) {
            answer?(value)
            answer = nil
        }
    }

    init(session: SessionID, on loop: any EventLoop) {
        self.sessionID = session
        self.loop = loop
    }

    var state: EchokitState { session.state }
    var hasDrivers: Bool { clients.values.contains { $0.access == .drive } }

    // MARK: To the clients

    func output(_ bytes: ByteBuffer) {
        guard !clients.isEmpty, let message = encoder.encode(bytes, allocator: ByteBufferAllocator()) else { return }
        for client in clients.values { client.output(message) }
    }

    func learn(_ fact: EchokitFact) { tell(session.apply(fact)) }

    func tell(_ messages: [EchokitServerMessage]) {
        guard !messages.isEmpty else { return }
        send(messages)
        if let error = messages.first(where: \.isError) {
            current?.finish(json(error))
        } else {
            finishWaiting(with: .state(session.state))
        }
        repeatLater()
    }

    private func send(_ messages: [EchokitServerMessage]) {
        for message in messages {
            for client in clients.values { client.send(message) }
        }
    }

    /// Echokit repeats itself while the session rests.
    private func repeatLater() {
        repetition?.cancel()
        guard !clients.isEmpty else { return }
        let period = TimeAmount.milliseconds(Int64(EchokitSession.idlePeriod * 1000))
        repetition = loop.assumeIsolated().scheduleTask(in: period) { [weak self] in
            guard let self else { return }
            self.send(self.session.tick())
            self.repeatLater()
        }
    }

    func attached() { repeatLater() }

    func end() {
        for client in clients.values { client.end() }
        repetition?.cancel()
        finishWaiting(with: EchokitServerMessage.ended)
    }

    // MARK: From the clients

    /// - Parameter refuse: takes what only this sender is told.
    func take(
        _ message: EchokitClientMessage, from sender: EchokitSender, refuse: (EchokitServerMessage) -> Void
    ) {
        guard let worker else { return }
        if message.isQuestion {
            repeatLater()
            return tell([.state(session.state)])
        }
        guard allowed(message, for: sender) else { return refuse(viewOnly) }
        if worker.structured != nil, takeStructured(message, from: sender, worker) { return }
        do {
            switch message {
            case .createSession, .currentState: break
            case .input(let text):
                guard session.state.allowsInput else { return tell([.invalidForState(session.state, input: text)]) }
                try worker.type(
                    text, submit: true, clientID: nil, sender: sender.principal, pause: EchokitKeys.pause)
            case .bytesInput(let bytes): try worker.send(keys: ByteBuffer(bytes: bytes), sender: sender.principal)
            case .cancel:
                guard session.state.allowsCancel else {
                    return tell([.invalidForState(session.state, input: "Cancel")])
                }
                try answer(EchokitKeys.cancel, from: sender, worker) { $0.allowsCancel }
            case .confirm:
                guard session.state.allowsConfirm else { return }
                try answer(EchokitKeys.confirm, from: sender, worker) { $0.allowsConfirm }
            case .select(let index):
                try worker.send(
                    paced: ByteBuffer(bytes: EchokitKeys.select(index)), pause: EchokitKeys.pause,
                    sender: sender.principal)
            }
        } catch {
            tell([.internalError("Failed to send input: \(error.detail)")])
        }
    }

    /// Presses a key that answers a dialog if one is open. Claude Code takes no key in a dialog's first moments, so
    /// that nobody answers what is not on the screen yet; a program is faster than that and would wait for ever.
    private func answer(
        _ key: [UInt8], from sender: EchokitSender, _ worker: SessionWorker,
        if allowed: @escaping (EchokitState) -> Bool
    ) throws(InputRefusal) {
        let view = worker.view
        let age = view.activity == .pending ? worker.steadyDate.timeIntervalSince(view.since) : .infinity
        guard age < EchokitKeys.dialogPause else {
            return try worker.send(keys: ByteBuffer(bytes: key), sender: sender.principal)
        }
        let rest = TimeAmount.milliseconds(Int64((EchokitKeys.dialogPause - age) * 1000))
        loop.assumeIsolated().scheduleTask(in: rest) { [weak self] in
            guard let self, allowed(self.session.state) else { return }
            try? self.worker?.send(keys: ByteBuffer(bytes: key), sender: sender.principal)
        }
    }

    func take(keys: ByteBuffer, from sender: EchokitSender, refuse: (EchokitServerMessage) -> Void) {
        guard sender.access == .drive else { return refuse(viewOnly) }
        if let worker, worker.structured != nil,
            takeStructured(.bytesInput(Array(keys.readableBytesView)), from: sender, worker)
        {
            return
        }
        do {
            try worker?.send(keys: keys, sender: sender.principal)
        } catch {
            tell([.internalError("Failed to send input: \(error.detail)")])
        }
    }

    private var viewOnly: EchokitServerMessage {
        .invalidInput(id: sessionID.description, message: "This connection may only watch the session")
    }

    /// An approver answers what waits for an answer, and does nothing else.
    private func allowed(_ message: EchokitClientMessage, for sender: EchokitSender) -> Bool {
        switch sender.access {
        case .drive: return true
        case .view: return false
        case .approve:
            guard case .preUseTool(_, isPending: true) = session.state else { return false }
            return message == .confirm || message == .cancel
        }
    }

    // MARK: POST /api/{id}/input

    /// Takes a message that came by REST; the answer is what it led to: an error, or the session's state once that
    /// has changed. A text that is typed has ten seconds to change it, a key one.
    func request(_ message: JSONValue, from sender: EchokitSender, answer: @escaping (JSONValue) -> Void) {
        guard let message = EchokitClientMessage(message) else {
            return answer(json(.malformed))
        }
        let waiter = Waiter(answer)
        if message == .confirm, !session.state.allowsConfirm { return answer(json(.state(session.state))) }
        waiting.append(waiter)
        current = waiter
        take(message, from: sender) { waiter.finish(self.json($0)) }
        current = nil
        guard waiter.answer != nil else { return waiting.removeAll { $0 === waiter } }
        var limit = TimeAmount.seconds(1)
        if case .input = message { limit = .seconds(10) }
        loop.assumeIsolated().scheduleTask(in: limit) {
            self.waiting.removeAll { $0 === waiter }
            waiter.finish(self.json(.state(self.session.state)))
        }
    }

    private func finishWaiting(with message: EchokitServerMessage) {
        guard !waiting.isEmpty else { return }
        let waiters = waiting
        waiting = []
        let value = json(message)
        for waiter in waiters { waiter.finish(value) }
    }

    private func json(_ message: EchokitServerMessage) -> JSONValue { message.json(session: sessionID) }
}
