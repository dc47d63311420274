public import Foundation
public import SessionCore

/// What claude-socket clients are sent (seed-protocols 2.3); the last two only when they asked for it with `?echo=1`.
public enum ClaudeSocketServerMessage: Sendable, Equatable {
    case reply(id: String, content: String, time: Date)
    case status(String, detail: String?)
    case history([ClaudeSocketEntry])
    case permissionRequest(PermissionQuestion)
    case error(String)
    case message(content: String, time: Date)
    case permissionResolved(request: String, allowed: Bool, by: String?)

    /// Only for clients that opted in.
    public var isExtension: Bool {
        switch self {
        case .message, .permissionResolved: true
        case .reply, .status, .history, .permissionRequest, .error: false
        }
    }

    /// - Parameter session: the session's name, as the client calls it.
    public func json(session: String) -> JSONValue {
        let name = JSONValue.string(session)
        switch self {
        case .reply(let id, let content, let time):
            return [
                "type": "reply", "session_id": name, "message_id": .string(id), "content": .string(content),
                "ts": .string(time.formatted(.rookery)),
            ]
        case .status(let status, let detail):
            var members: [String: JSONValue] = ["type": "status", "session_id": name, "status": .string(status)]
            if let detail { members["detail"] = .string(detail) }
            return .object(members)
        case .history(let entries):
            return ["type": "history", "session_id": name, "messages": .array(entries.map(\.json))]
        case .permissionRequest(let question):
            return [
                "type": "permission_request", "session_id": name, "request_id": .string(question.id),
                "tool_name": .string(question.tool), "description": .string(question.summary),
                "input_preview": .string(Self.preview(of: question.input)),
            ]
        case .error(let message): return ["type": "error", "session_id": name, "message": .string(message)]
        case .message(let content, let time):
            return [
                "type": "message", "session_id": name, "content": .string(content),
                "ts": .string(time.formatted(.rookery)),
            ]
        case .permissionResolved(let request, let allowed, let by):
            var members: [String: JSONValue] = [
                "type": "permission_resolved", "session_id": name, "request_id": .string(request),
                "behavior": allowed ? "allow" : "deny",
            ]
            if let by { members["by"] = .string(by) }
            return .object(members)
        }
    }

    /// The input as JSON, cut at 200 characters, as Claude Code's channels do.
    static func preview(of input: JSONValue) -> String { String(input.text.prefix(200)) }
}

/// One message of a session's history.
public struct ClaudeSocketEntry: Sendable, Equatable {
    public var isUser: Bool
    public var content: String
    public var time: Date

    public init(isUser: Bool, content: String, time: Date) {
        self.isUser = isUser
        self.content = content
        self.time = time
    }

    var json: JSONValue {
        [
            "role": isUser ? "user" : "assistant", "content": .string(content),
            "ts": .string(time.formatted(.rookery)),
        ]
    }
}
