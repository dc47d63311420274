import ClaudeCode
import Foundation
import NIOCore
import SessionCore
import WorkerControl

extension StructuredBackend {
    /// A command that only structured sessions take, or take in their own way.
    func take(_ command: SessionCommand, from origin: CommandOrigin, answer: @escaping (CommandOutcome) -> Void) {
        guard !worker.isOver else {
            return answer(.failed(CommandFailure("session_over", "the session's program has ended")))
        }
        switch command {
        case .withdraw(let id): withdraw(id, by: origin.principal, answer: answer)
        case .interrupt:
            ask(.interrupt, answer) { ["still_queued": $0["still_queued"] ?? []] }
        case .setModel(let model):
            if let models = worker.rules.models, !models.contains(model) {
                return answer(
                    .failed(CommandFailure("not_allowed", "the policy allows only \(models.joined(separator: ", "))")))
            }
            ask(.setModel(model), answer) { [weak self] _ in
                self?.learn(["model": .string(model)])
                return [:]
            }
        case .setPermissionMode(let mode):
            if let modes = worker.rules.permissionModes, !modes.contains(mode) {
                return answer(
                    .failed(CommandFailure("not_allowed", "the policy allows only \(modes.joined(separator: ", "))")))
            }
            ask(.setPermissionMode(mode), answer) { [weak self] data in
                let mode = data["mode"]?.string ?? mode
                self?.learn(["permission_mode": .string(mode)])
                return ["mode": .string(mode)]
            }
        case .rename(let title):
            ask(.rename(title), answer) { [weak self] _ in
                self?.learn(["title": .string(title)])
                return [:]
            }
        case .mcpStatus: ask(.mcpStatus, answer) { $0 }
        case .mcpToggle(let server, let enabled): ask(.mcpToggle(server: server, enabled: enabled), answer) { _ in [:] }
        case .mcpReconnect(let server): ask(.mcpReconnect(server: server), answer) { _ in [:] }
        case .stopTask(let task): ask(.stopTask(task), answer) { _ in [:] }
        case .prompt, .answer, .permissions, .state: break
        }
    }

    private func ask(
        _ request: StreamControl, _ answer: @escaping (CommandOutcome) -> Void,
        _ content: @escaping (JSONValue) -> JSONValue
    ) {
        exchange.ask(request) { result in
            switch result {
            case .success(let data): answer(.done(content(data)))
            case .failure(let failure): answer(.failed(failure))
            }
        }
    }

    private func learn(_ members: [String: JSONValue]) { conclude(engine.learn(members)) }

    // MARK: Questions

    /// The program asks whether a tool may be used.
    func ask(_ permission: StreamPermission) {
        guard worker.permissions.open.count < SessionWorker.mostPermissions else {
            return send(.decline(question: permission.id, reason: "the session asks for too much at once"))
        }
        worker.ask(PermissionLedger.Question(permission, since: Date()))
    }

    /// Gives the program the answer to a question.
    func give(_ answer: PermissionAnswer, to question: PermissionLedger.Question) {
        send(StreamRequest(answer, to: question))
    }

    // MARK: The end

    /// Interrupts what runs, waits until the program is idle, and closes its input: it ends by itself.
    func close() {
        guard !isClosing else { return }
        isClosing = true
        guard engine.view.activity != .idle else { return device.closeInput() }
        exchange.ask(.interrupt) { _ in }
    }
}
