import Foundation
import NIOCore
import NIOHTTP1
import SessionCore
import WorkerControl

/// Permissions that the session asks for, whatever its kind.
extension SessionWorker {
    /// Open at once.
    static let mostPermissions = 64

    func ask(_ question: PermissionLedger.Question) {
        var question = question
        question.expires = rules.permissionTimeout.map { Date().addingTimeInterval($0) }
        guard permissions.open.count < Self.mostPermissions, permissions.ask(question) else { return }
        let isAllowed = rules.allows(question)
        // Whoever hears of a question and asks at once where the session stands is told that it waits.
        if !isAllowed { permissionsChanged() }
        emit(.permissionRequested, question.data)
        if isAllowed { return allow(question) }
        guard let timeout = rules.permissionTimeout else { return }
        loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(timeout * 1000))) { [weak self] in
            self?.expire(question.id)
        }
    }

    /// The policy has the answer: nobody is waited for.
    private func allow(_ question: PermissionLedger.Question) {
        let answer = PermissionAnswer(id: question.id, decision: .allow)
        let resolution = PermissionLedger.Resolution(.allowed, way: .policy, at: Date())
        resolve(question.id, resolution) { [weak self] in self?.give(answer, to: question) }
    }

    /// Nobody answered in the policy's time.
    private func expire(_ id: String) {
        guard !isOver, let question = permissions.open.first(where: { $0.id == id }), question.isAnswerable else {
            return
        }
        var resolution = PermissionLedger.Resolution(.denied, way: .timeout, at: Date())
        resolution.message = "Nobody answered in time."
        let answer = PermissionAnswer(id: id, decision: .deny, message: resolution.message)
        resolve(id, resolution) { [weak self] in self?.give(answer, to: question) }
    }

    /// A client's answer. The first counts.
    func answer(_ answer: PermissionAnswer, from origin: CommandOrigin) throws(CommandFailure) -> JSONValue {
        guard !isOver else { throw CommandFailure("session_over", "the session's program has ended") }
        let question = try permissions.question(for: answer)
        guard answer.remember != .tenant || origin.isAdmin else {
            throw CommandFailure("not_allowed", "only an admin can decide for the whole tenant")
        }
        guard answer.remember == nil || (answer.decision == .allow && question.kind == .tool) else {
            throw CommandFailure("malformed_command", "only a tool that is allowed can be remembered")
        }
        let exact = PermissionRule.exact(question)
        guard answer.remember != .tenant || exact != nil else {
            throw CommandFailure(
                "not_answerable", "a command with wildcards, brackets or several lines is no rule for a whole tenant")
        }
        // A person has looked: what is frozen goes on.
        typed(at: Date())
        var resolution = PermissionLedger.Resolution(
            answer.decision == .allow ? .allowed : .denied, by: origin.principal, way: .client, at: Date())
        resolution.message = answer.message
        resolution.isUpdated = answer.updatedInput != nil
        resolution.remember = answer.remember
        resolution.rules =
            switch answer.remember {
            case nil: []
            case .session: PermissionRule.texts(remembering: question)
            case .tenant: [exact].compactMap(\.self)
            }
        resolve(question.id, resolution) { [weak self] in self?.give(answer, to: question) }
        return ["id": .string(question.id), "decision": .string(answer.decision.rawValue)]
    }

    /// - Parameter stored: called once everybody who asks later will know of it.
    func resolve(_ id: String, _ resolution: PermissionLedger.Resolution, stored: (() -> Void)? = nil) {
        guard let data = permissions.resolve(id, resolution) else { return }
        emit(.permissionResolved, data)
        permissionsChanged()
        observe(.answered(id))
        if let stored { log.whenStored(through: log.lastSequence, stored) }
    }

    private func permissionsChanged() {
        guard let structured else { return }
        structured.conclude(structured.engine.asked(permissions.open, at: steadyDate))
    }

    private func give(_ answer: PermissionAnswer, to question: PermissionLedger.Question) {
        if let structured { return structured.give(answer, to: question) }
        hookCalls.take(question.id)?.answer(.json(.ok, answer.hookDecision(for: question)))
    }

    // MARK: Terminal sessions

    /// The state engine learned of a permission, by the hook that waits for its answer or otherwise.
    func terminalAsks(_ data: JSONValue) {
        guard let id = data["id"]?.string else { return }
        var question = PermissionLedger.Question(
            id: id, toolName: data["tool_name"]?.string ?? "", input: data["tool_input"],
            toolUseID: data["tool_use_id"]?.string, suggestions: data["suggestions"], since: Date())
        if let call = hookCalls.claim(id) {
            // No in the terminal ends the hook at once; yes does not.
            call.onGone = { [weak self] in
                _ = self?.hookCalls.take(id)
                self?.permissions.setAnswerable(id, false)
            }
        } else {
            question.isAnswerable = false
        }
        ask(question)
    }

    /// The session went on, so the permission has its answer: somebody's here, or one on the screen.
    func terminalResolved(_ data: JSONValue) {
        guard let id = data["id"]?.string else { return }
        let outcome = PermissionLedger.Resolution.Outcome(rawValue: data["resolution"]?.string ?? "") ?? .withdrawn
        resolve(id, PermissionLedger.Resolution(outcome, way: isOver ? .session : .terminal, at: Date()))
        hookCalls.take(id)?.answer(.json(.ok, [:]))
    }
}
