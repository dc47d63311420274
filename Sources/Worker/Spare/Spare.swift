import ClaudeCode
import Foundation
import Logging
import NIOCore
import SessionCore
import WorkerControl

/// A worker that no session has yet. Its program is started and waits; nothing that it says is anybody's, nobody may
/// command it, and without the supervisor that made it, which alone knows of it, it ends.
final class Spare {
    private enum State {
        case starting
        case ready(version: String)
        case claiming
        case unfit(CommandFailure)
    }

    typealias Outcome = Result<JSONValue, CommandFailure>

    /// How long it waits for its supervisor to call.
    static let patience = TimeAmount.seconds(60)
    /// How long the program may take to start: nobody waits for it, and the box may have much to do.
    private static let startLimit = TimeAmount.seconds(50)

    private var state = State.starting
    private var waiting: [(Outcome) -> Void] = []

    /// - Parameter exchange: the program's. It answers when it has started.
    init(asking exchange: ControlExchange) {
        exchange.ask(.version, within: Self.startLimit) { [weak self] result in
            switch result {
            case .success(let data):
                if let version = data["version"]?.string {
                    self?.settle(.ready(version: version))
                } else {
                    self?.settle(.unfit(CommandFailure("unknown_version", "the program does not say its version")))
                }
            case .failure(let failure): self?.settle(.unfit(failure))
            }
        }
    }

    private func settle(_ state: State) {
        self.state = state
        let told = waiting
        waiting = []
        for one in told { tell(one) }
    }

    /// Says the program's version once it is there.
    func whenReady(_ tell: @escaping (Outcome) -> Void) {
        if case .starting = state { return waiting.append(tell) }
        self.tell(tell)
    }

    private func tell(_ one: (Outcome) -> Void) {
        switch state {
        case .ready(let version): one(.success(["version": .string(version)]))
        case .unfit(let failure): one(.failure(failure))
        case .starting, .claiming: one(.failure(CommandFailure("claimed", "a session is about to have it")))
        }
    }

    /// Has the program be its session's. Whatever goes wrong, it is of no use to another.
    func claim(
        for session: SessionID, permissionMode: String?, asking exchange: ControlExchange,
        done: @escaping (Outcome) -> Void
    ) {
        guard case .ready = state else {
            return done(.failure(CommandFailure("not_ready", "the program has not started, or was claimed before")))
        }
        state = .claiming
        exchange.ask(.claim(directory: SandboxLayout.workspace, permissionMode: permissionMode)) { result in
            switch result {
            case .failure(let failure): done(.failure(failure))
            case .success(let data):
                guard data["status"]?.string == "ok", data["session_id"]?.string == session.description else {
                    return done(.failure(CommandFailure("not_claimed", "the program has another session")))
                }
                done(.success([:]))
            }
        }
    }
}
