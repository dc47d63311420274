import ClaudeCode
import NIOCore
import SessionCore

/// Requests of ours to the program, and its answers. One that is not answered in time is uncertain, and never sent again:
/// it may have been carried out.
final class ControlExchange {
    /// What the program has for an answer. Interrupts take some tens of milliseconds, MCP servers their time.
    static let patience = TimeAmount.seconds(15)
    /// More at once are refused.
    static let most = 64

    private let loop: any EventLoop
    private let send: (StreamRequest) -> Void
    private var pending: [String: (deadline: Scheduled<Void>, done: (Result<JSONValue, CommandFailure>) -> Void)] = [:]
    private var number = 0

    init(on loop: any EventLoop, send: @escaping (StreamRequest) -> Void) {
        self.loop = loop
        self.send = send
    }

    func ask(
        _ request: StreamControl, within patience: TimeAmount = ControlExchange.patience,
        _ done: @escaping (Result<JSONValue, CommandFailure>) -> Void
    ) {
        guard pending.count < Self.most else {
            return done(.failure(CommandFailure("input_backlog", "the program has too many requests to answer")))
        }
        number += 1
        let id = "rookery-\(number)"
        let deadline = loop.assumeIsolated().scheduleTask(in: patience) { self.expire(id) }
        pending[id] = (deadline, done)
        send(.control(id: id, request))
    }

    private func expire(_ id: String) {
        pending.removeValue(forKey: id)?.done(
            .failure(
                CommandFailure(
                    "uncertain", "the program did not answer in time: it may have done it, or may still do it")))
    }

    func answered(_ id: String, _ answer: StreamAnswer) {
        guard let waiting = pending.removeValue(forKey: id) else { return }
        waiting.deadline.cancel()
        switch answer {
        case .success(let text): waiting.done(.success(JSONValue(parsing: text) ?? .null))
        case .failure(let reason):
            waiting.done(.failure(CommandFailure("cli_refused", VisibleText.of(String(reason.prefix(4096))))))
        }
    }

    /// The program is gone.
    func end() {
        let waiting = pending.values
        pending = [:]
        for one in waiting {
            one.deadline.cancel()
            one.done(.failure(CommandFailure("uncertain", "the program ended before it answered")))
        }
    }
}
