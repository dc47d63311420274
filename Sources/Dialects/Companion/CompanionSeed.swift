public import SessionCore

/// The names that the seed gave Companion's messages, on request only (`?protocol=seed`, or a `hello`): the CLI's lines as
/// `cli_message`, connection and phase as `session_status` (seed-protocols 3.3).
public struct CompanionSeed: Sendable {
    private let id: JSONValue
    private var status: String?

    public init(_ session: SessionID) { id = .string(session.description) }

    /// What a message of the real protocol is here; none for what the seed does not know.
    public mutating func messages(for frame: CompanionFrame) -> [JSONValue] {
        switch frame.message {
        case .sessionInit, .error: return [frame.json]
        case .messageHistory(let messages):
            return messages.compactMap { message in
                guard message["type"] != "error" else { return message }
                return Self.line(message).map(wrap)
            }
        case .eventReplay(let frames): return frames.flatMap { messages(for: $0) }
        case .permissionRequest(let question, _):
            return [wrap(Self.request(question))]
        case .permissionCancelled(let request):
            return [wrap(["type": "control_cancel_request", "request_id": .string(request)])]
        case .assistant, .streamEvent, .systemEvent, .result, .userMessage, .toolProgress:
            return Self.line(frame.message.json).map { [wrap($0)] } ?? []
        case .statusChange(let status):
            switch status {
            case "running": return tell("running")
            case "compacting": return tell("compacting")
            default: return tell("idle")
            }
        case .phase(let phase, _): return tell(Self.status(of: phase))
        case .cliDisconnected: return tell("disconnected")
        case .cliConnected: return tell("starting")
        case .sessionUpdate, .mcpStatus, .nameUpdate: return []
        }
    }

    private func wrap(_ line: JSONValue) -> JSONValue {
        ["type": "cli_message", "session_id": id, "message": line]
    }

    private mutating func tell(_ next: String) -> [JSONValue] {
        guard next != status else { return [] }
        status = next
        return [["type": "session_status", "session_id": id, "status": .string(next)]]
    }

    private static func status(of phase: CompanionPhase) -> String {
        switch phase {
        case .starting, .initializing, .reconnecting: "starting"
        case .ready: "idle"
        case .streaming: "running"
        case .awaitingPermission: "awaiting_permission"
        case .compacting: "compacting"
        case .terminated: "terminated"
        }
    }

    /// The CLI's line that a message was made of.
    private static func line(_ message: JSONValue) -> JSONValue? {
        switch message["type"]?.string {
        case "system_event": return message["event"]
        case "result": return message["data"]
        case "user_message":
            return [
                "type": "user", "message": ["role": "user", "content": message["content"] ?? ""],
                "parent_tool_use_id": .null,
            ]
        default:
            guard case .object(var members) = message else { return nil }
            members["seq"] = nil
            members["timestamp"] = nil
            return .object(members)
        }
    }

    private static func request(_ question: PermissionQuestion) -> JSONValue {
        var request: [String: JSONValue] = [
            "subtype": "can_use_tool", "tool_name": .string(question.tool), "input": question.input,
            "tool_use_id": .string(question.toolUseID ?? question.id),
        ]
        if let suggestions = question.suggestions { request["permission_suggestions"] = suggestions }
        return ["type": "control_request", "request_id": .string(question.id), "request": .object(request)]
    }
}
