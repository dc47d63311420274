public import ClaudeCode
import Foundation

/// Lines for a program that runs elsewhere.
public enum RemoteRequest {
    /// nil for a command that is no line of its own.
    public static func line(
        for command: SessionCommand, id: String, question: PermissionLedger.Question? = nil
    ) -> String? {
        let request: StreamRequest
        switch command {
        case .prompt(let text, let images, _, _):
            request = .prompt(
                id: id, text: text, images: images.map { StreamImage(mediaType: $0.mediaType, data: $0.data) })
        case .answer(let answer):
            guard let question else { return nil }
            request = StreamRequest(answer, to: question)
        case .interrupt: request = .control(id: id, .interrupt)
        case .withdraw(let prompt): request = .control(id: id, .withdraw(prompt: prompt))
        case .setModel(let model): request = .control(id: id, .setModel(model))
        case .setPermissionMode(let mode): request = .control(id: id, .setPermissionMode(mode))
        case .rename(let title): request = .control(id: id, .rename(title))
        case .mcpStatus: request = .control(id: id, .mcpStatus)
        case .mcpToggle(let server, let enabled):
            request = .control(id: id, .mcpToggle(server: server, enabled: enabled))
        case .mcpReconnect(let server): request = .control(id: id, .mcpReconnect(server: server))
        case .stopTask(let task): request = .control(id: id, .stopTask(task))
        case .permissions, .state: return nil
        }
        return request.line.map { String(decoding: $0.dropLast(), as: UTF8.self) }
    }

    /// How a program is started to be such a session, where its arguments do not say so themselves.
    public static func arguments(_ given: [String], session: String) -> [String] {
        var arguments = given
        if !given.contains("--output-format") { arguments += StreamArguments.all }
        if !given.contains(where: { ["--session-id", "--resume", "-r", "--continue", "-c"].contains($0) }) {
            arguments += ["--session-id", session]
        }
        return arguments
    }

    public static let environment = StreamArguments.environment
}

extension StreamRequest {
    /// The answer to what the program asked.
    public init(_ answer: PermissionAnswer, to question: PermissionLedger.Question) {
        switch answer.decision {
        case .deny:
            self = .deny(
                question: question.id, message: answer.message ?? "Denied by the user.", interrupts: answer.interrupts)
        case .allow:
            self = .allow(
                question: question.id,
                StreamAllowance(
                    updatedInput: answer.input(for: question).map(Self.text),
                    updatedPermissions: answer.remember == nil
                        ? nil : Self.text(.array(PermissionRule.remembering(question)))))
        }
    }

    private static func text(_ value: JSONValue) -> String {
        String(decoding: (try? JSONEncoder.rookery.encode(value)) ?? Data(), as: UTF8.self)
    }
}
