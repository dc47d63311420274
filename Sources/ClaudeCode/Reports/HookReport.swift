public import Foundation

/// The events of the CLI for which Rookery sets hooks.
public enum HookEvent: String, Sendable, Hashable, CaseIterable {
    case userPromptSubmit = "UserPromptSubmit"
    case preToolUse = "PreToolUse"
    case permissionRequest = "PermissionRequest"
    case postToolUse = "PostToolUse"
    case postToolUseFailure = "PostToolUseFailure"
    case notification = "Notification"
    case stop = "Stop"
    case stopFailure = "StopFailure"
    case sessionEnd = "SessionEnd"
}

/// One hook call: the JSON body that the CLI posts to `http://127.0.0.1:3128/hook/<Event>`. It comes from inside the
/// sandbox, so anything in it may be forged by the session itself; it describes, it never authorises.
public struct HookReport: Sendable, Hashable {
    public var event: HookEvent
    public var sessionID: String?
    public var transcriptPath: String?
    public var workingDirectory: String?
    /// The same for every hook of one turn.
    public var promptID: String?
    public var permissionMode: String?
    public var toolName: String?
    /// Missing in `PermissionRequest`.
    public var toolUseID: String?
    /// JSON text with sorted keys.
    public var toolInput: String?
    /// JSON text, of `PermissionRequest`.
    public var permissionSuggestions: String?
    /// The prompt's text, of `UserPromptSubmit`.
    public var prompt: String?
    /// Of `Notification`, and the last words of the assistant in `Stop`.
    public var message: String?
    /// What went wrong, of `PostToolUseFailure` and `StopFailure`.
    public var error: String?
    /// The person interrupted the tool, of `PostToolUseFailure`.
    public var isInterrupt: Bool
    /// Of `SessionEnd`, and the kind of a `Notification`.
    public var reason: String?
    /// Set when a subagent made the call.
    public var agentID: String?

    public init(
        event: HookEvent, promptID: String? = nil, toolName: String? = nil, toolUseID: String? = nil,
        toolInput: String? = nil, prompt: String? = nil, message: String? = nil, error: String? = nil,
        isInterrupt: Bool = false, reason: String? = nil, agentID: String? = nil
    ) {
        self.event = event
        self.promptID = promptID
        self.toolName = toolName
        self.toolUseID = toolUseID
        self.toolInput = toolInput
        self.prompt = prompt
        self.message = message
        self.error = error
        self.isInterrupt = isInterrupt
        self.reason = reason
        self.agentID = agentID
    }

    /// The largest body that is taken. Larger than any tool input a model can write; a tool's *response* may be
    /// longer, so a receiver answers 413 and the CLI goes on without that report.
    public static let largest = 4 << 20

    /// - Parameter expected: the event named in the URL; a body that names another is refused.
    public init?(parsing body: Data, expected: HookEvent? = nil) {
        guard let object = JSONObject(body, limit: Self.largest),
            let event = object.string("hook_event_name").flatMap(HookEvent.init(rawValue:)),
            expected == nil || expected == event
        else { return nil }
        self.event = event
        sessionID = object.string("session_id")
        transcriptPath = object.string("transcript_path")
        workingDirectory = object.string("cwd")
        promptID = object.string("prompt_id")
        permissionMode = object.string("permission_mode")
        toolName = object.string("tool_name")
        toolUseID = object.string("tool_use_id")
        toolInput = object.text("tool_input")
        permissionSuggestions = object.text("permission_suggestions")
        prompt = object.string("prompt")
        message = object.string("message") ?? object.string("last_assistant_message")
        error = object.string("error") ?? object.string("error_details")
        isInterrupt = object.bool("is_interrupt") ?? false
        reason = object.string("reason") ?? object.string("notification_type")
        agentID = object.string("agent_id")
    }
}
