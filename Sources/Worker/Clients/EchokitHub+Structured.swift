import Dialects
import SessionCore
import WorkerControl

/// Echokit's keys over a session that has no terminal: what they mean there is done as it is.
extension EchokitHub {
    /// - Returns: false for what is the same in every session, and for keys that mean nothing here.
    func takeStructured(
        _ message: EchokitClientMessage, from sender: EchokitSender, _ worker: SessionWorker
    ) -> Bool {
        let question = worker.permissions.open.first
        switch StructuredKey(message) {
        case nil: return false
        case .escape:
            if let question {
                answer(PermissionAnswer(id: question.id, decision: .deny, interrupts: true), from: sender, worker)
            } else {
                // Of a message, only in the states that let it; of a key, always.
                if message == .cancel, !state.allowsCancel {
                    tell([.invalidForState(state, input: "Cancel")])
                } else {
                    try? worker.interrupt(sender: sender.principal)
                }
            }
        case .enter:
            // Without a question there is nothing that it confirms.
            if let question { answer(PermissionAnswer(id: question.id, decision: .allow), from: sender, worker) }
        case .choice(let index):
            guard let question else { break }
            var choice = PermissionAnswer(choosing: index, of: question.data)
            // As in the terminal: no is the end of the turn.
            choice.interrupts = choice.decision == .deny
            answer(choice, from: sender, worker)
        }
        return true
    }

    private func answer(_ answer: PermissionAnswer, from sender: EchokitSender, _ worker: SessionWorker) {
        do throws(CommandFailure) {
            _ = try worker.answer(answer, from: CommandOrigin(principal: sender.principal, access: sender.access))
        } catch {
            tell([.internalError("Failed to answer: \(error.detail)")])
        }
    }
}

/// A key that means something without a terminal.
private enum StructuredKey {
    case escape, enter
    case choice(Int)

    init?(_ message: EchokitClientMessage) {
        switch message {
        case .cancel, .bytesInput([0x1b]), .bytesInput([0x03]): self = .escape
        case .confirm, .bytesInput([0x0d]), .bytesInput([0x0a]): self = .enter
        case .select(let index): self = .choice(index)
        case .createSession, .currentState, .input, .bytesInput: return nil
        }
    }
}
