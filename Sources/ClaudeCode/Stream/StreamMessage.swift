public import Foundation

/// One record of the CLI's standard output in stream-json, as far as anything here acts on it.
///
/// Read leniently: what is missing is nil, what is unknown is ``other``, and neither is ever fatal. It comes from inside
/// the sandbox, so anything in it may be forged by the session itself.
public enum StreamMessage: Sendable, Hashable {
    /// `system/init`: at the start of every turn.
    case turnBegins(StreamSettings)
    /// `session_state_changed`: `running`, `requires_action`, `idle`.
    case sessionState(String)
    /// What becomes of a prompt that was sent under `id`.
    case prompt(id: String, PromptState)
    case assistant(StreamContent)
    case user(StreamUser)
    /// A piece of a message that is being written.
    case delta(StreamDelta)
    case toolProgress(id: String, name: String, seconds: Double)
    case retry(StreamRetry)
    case task(StreamTask)
    case title(String)
    /// A turn is over.
    case result(StreamResult)
    /// `can_use_tool`: waits for an answer under `id`.
    case permission(StreamPermission)
    /// Another question of the CLI's, which nobody here can answer.
    case question(id: String, kind: String)
    /// The CLI no longer waits for the answer to its question `id`.
    case questionWithdrawn(id: String)
    /// The answer to a request of ours. `content` is JSON text.
    case answer(id: String, StreamAnswer)
    /// Known, and of no interest.
    case nothing
    /// A type that this version does not know.
    case other(type: String)

    public enum PromptState: String, Sendable, Hashable { case queued, started, completed, cancelled }

    /// The largest record that is read.
    public static let largest = 16 << 20

    /// nil for what is no JSON object with a type.
    public init?(parsing line: Data) {
        guard let object = JSONObject(line, limit: Self.largest), let type = object.string("type") else { return nil }
        self = Self.message(type, object)
    }

    private static func message(_ type: String, _ object: JSONObject) -> StreamMessage {
        switch type {
        case "system": return system(object)
        case "assistant": return StreamContent(object).map { .assistant($0) } ?? .other(type: type)
        case "user": return .user(StreamUser(object))
        case "stream_event": return StreamDelta(object).map { .delta($0) } ?? .nothing
        case "result": return .result(StreamResult(object))
        case "command_lifecycle":
            guard let id = object.string("command_uuid"),
                let state = object.string("state").flatMap(PromptState.init(rawValue:))
            else { return .other(type: type) }
            return .prompt(id: id, state)
        case "tool_progress":
            guard let id = object.string("parent_tool_use_id") ?? object.string("tool_use_id") else { return .nothing }
            return .toolProgress(
                id: id, name: object.string("tool_name") ?? "", seconds: object.number("elapsed_time_seconds") ?? 0)
        case "control_request":
            guard let id = object.string("request_id"), let request = object.object("request") else {
                return .other(type: type)
            }
            let kind = request.string("subtype") ?? ""
            guard kind == "can_use_tool" else { return .question(id: id, kind: kind) }
            return .permission(StreamPermission(id: id, request))
        case "control_cancel_request":
            return object.string("request_id").map { .questionWithdrawn(id: $0) } ?? .other(type: type)
        case "control_response":
            guard let response = object.object("response"), let id = response.string("request_id") else {
                return .other(type: type)
            }
            return .answer(id: id, StreamAnswer(response))
        case "keep_alive", "transcript_mirror", "rate_limit_event", "prompt_suggestion", "auth_status": return .nothing
        default: return .other(type: String(type.prefix(64)))
        }
    }

    private static func system(_ object: JSONObject) -> StreamMessage {
        switch object.string("subtype") {
        case "init": return .turnBegins(StreamSettings(object))
        case "session_state_changed": return object.string("state").map { .sessionState($0) } ?? .nothing
        case "api_retry": return .retry(StreamRetry(object))
        case "task_started", "task_notification": return StreamTask(object).map { .task($0) } ?? .nothing
        case "session_title_changed": return object.string("title").map { .title($0) } ?? .nothing
        case "status", "thinking_tokens", "permission_denied", "hook_started", "hook_response", "hook_progress",
            "background_tasks_changed", "task_updated", "ui_invalidate":
            return .nothing
        default: return .other(type: "system")
        }
    }
}
