import Crypto
import Foundation
import Registry
import SessionCore

/// What clients ask of the program, and what comes of it.
extension RemoteStream {
    private static let mostWaiting = 200
    /// What the program's side has to say that it has a line, and a program to answer.
    private static let patience = Duration.seconds(15)

    func command(_ command: SessionCommand, by principal: Principal) async -> CommandOutcome {
        lastUse = Date()
        switch command {
        case .permissions: return .done(["permissions": .array(permissions)])
        case .state: return .done(standing)
        case .prompt(_, _, let clientID, _):
            let name = promptID(clientID)
            if let seq = given[name] {
                await stored()
                return accepted(name, seq)
            }
            return await ask(command, name, principal)
        case .answer(let answer):
            do throws(CommandFailure) {
                let question = try session.permissions.question(for: answer)
                if let first = answering[question.id] {
                    throw CommandFailure("already_answered", "\(first) was first", data: ["by": .string(first)])
                }
                guard answer.remember != .tenant else {
                    throw CommandFailure("not_allowed", "a session elsewhere decides nothing for the tenant")
                }
                answering[question.id] = principal.name
                return await ask(command, question.id, principal, question)
            } catch {
                return .failed(error)
            }
        default: return await ask(command, "rookery-\(UUID().uuidString.lowercased())", principal)
        }
    }

    /// Gives the program a line and waits for what comes of it.
    private func ask(
        _ command: SessionCommand, _ request: String, _ principal: Principal,
        _ question: PermissionLedger.Question? = nil
    ) async -> CommandOutcome {
        guard lifecycle != .stopped else {
            return .failed(CommandFailure("session_over", "the session's program has ended"))
        }
        guard waiting.count < Self.mostWaiting, waiting[request] == nil else {
            return .failed(CommandFailure("input_backlog", "too much waits for the session's program"))
        }
        guard let line = RemoteRequest.line(for: command, id: request, question: question),
            line.utf8.count <= RemoteRecord.largestLine
        else { return .failed(CommandFailure("input_too_large", "this cannot be sent to the session's program")) }
        let program = isReady ? program : nil
        if program == nil { held.append((request, line, principal.name)) }
        let deadline = Task {
            try? await Task.sleep(for: Self.patience)
            if !Task.isCancelled { expire(request) }
        }
        defer { deadline.cancel() }
        return await withCheckedContinuation { continuation in
            waiting[request] = continuation
            guard let program else { return }
            Task { try? await program.give(line, request: request, by: principal.name) }
        }
    }

    private func expire(_ request: String) {
        answering[request] = nil
        if let index = held.firstIndex(where: { $0.request == request }) {
            held.remove(at: index)
            return finish(
                request, .failed(CommandFailure("not_connected", "the session's program is not connected: try later")))
        }
        finish(
            request,
            .failed(
                CommandFailure("uncertain", "the program did not answer in time: it may have done it, or may do it")))
    }

    /// Tells whoever waits for it, once what it says is on the disk.
    func acknowledge(_ request: String, _ outcome: CommandOutcome) {
        guard let log, waiting[request] != nil else { return }
        log.whenStored(through: log.lastSequence) { self.finish(request, outcome) }
    }

    func finish(_ request: String, _ outcome: CommandOutcome) {
        waiting.removeValue(forKey: request)?.resume(returning: outcome)
    }

    /// The same of a client's own name is the same prompt, which the program takes once.
    private func promptID(_ clientID: String?) -> String {
        guard let clientID else { return UUID().uuidString.lowercased() }
        var bytes = Array(SHA256.hash(data: Data("\(id)/\(clientID)".utf8)).prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        let uuid = bytes.withUnsafeBytes { $0.loadUnaligned(as: uuid_t.self) }
        return UUID(uuid: uuid).uuidString.lowercased()
    }
}
