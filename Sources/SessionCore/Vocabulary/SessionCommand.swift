/// What a client can ask of a session, whatever it speaks: the commands of `…/stream`, what dialects translate into, and
/// what the control socket carries.
///
/// As JSON, one object with a `type` (and on `…/stream` an `id` of the client's own, which the answer repeats):
///
/// | type | members | needs | answer's `data` |
/// |---|---|---|---|
/// | `prompt` | `text`, `images`? `[{media_type, data}]` (base64), `client_id`?, `channel`? `{chat_id, user?, ts?}`: how it came by claude-socket's wire | drive | `seq`, `prompt_id`, `queued` |
/// | `withdraw` | `prompt_id` | drive | – |
/// | `interrupt` | – | drive | `still_queued`: prompt ids |
/// | `answer` | `permission_id`, `decision`: allow, deny; `message`?, `updated_input`?, `answers`? (of a question: `{question: answer}`), `remember`: session, tenant ?, `interrupt`? (deny, and end the turn) | approve | – |
/// | `set_model` | `model` | drive | – |
/// | `set_permission_mode` | `mode` | drive | `mode` |
/// | `rename` | `title` | drive | – |
/// | `mcp_status` | – | drive | as the program answers |
/// | `mcp_toggle` | `server`, `enabled` | drive | – |
/// | `mcp_reconnect` | `server` | drive | – |
/// | `stop_task` | `task_id`: of `task.started` | drive | – |
/// | `permissions` | – | view | `permissions`: those that are open, as `permission.requested` has them |
/// | `state` | – | view | ``SessionStanding`` |
///
/// A terminal session takes prompt (without images: it is typed), interrupt, answer, permissions and state; the others are
/// refused with `not_structured`.
public enum SessionCommand: Sendable, Hashable {
    case prompt(text: String, images: [PromptImage], clientID: String?, channel: ChannelOrigin? = nil)
    /// Takes back a prompt that was not begun.
    case withdraw(promptID: String)
    case interrupt
    case answer(PermissionAnswer)
    case setModel(String)
    case setPermissionMode(String)
    case rename(title: String)
    case mcpStatus
    case mcpToggle(server: String, enabled: Bool)
    case mcpReconnect(server: String)
    /// Ends something that runs in the background.
    case stopTask(String)
    case permissions
    case state

    /// What is answered is refused to anybody with less.
    public var needs: CommandRight {
        switch self {
        case .permissions, .state: .view
        case .answer: .approve
        default: .drive
        }
    }
}

/// What a command needs of whoever gives it; the names are those of a client's access.
public enum CommandRight: String, Codable, Sendable, Hashable, CaseIterable {
    case view, approve, drive
}

/// An image that goes with a prompt.
public struct PromptImage: Codable, Sendable, Hashable {
    /// `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
    public var mediaType: String
    /// Base64.
    public var data: String

    public static let mediaTypes: Set<String> = ["image/png", "image/jpeg", "image/gif", "image/webp"]
    /// The most images of one prompt, and the most bytes of their base64 together.
    public static let most = 20
    public static let mostBytes = 5 << 20

    public init(mediaType: String, data: String) {
        self.mediaType = mediaType
        self.data = data
    }

    enum CodingKeys: String, CodingKey {
        case mediaType = "media_type"
        case data
    }
}

/// A person's answer to a permission that is asked for.
public struct PermissionAnswer: Sendable, Hashable {
    public enum Decision: String, Codable, Sendable, Hashable, CaseIterable { case allow, deny }
    /// For how long an answer holds.
    public enum Remember: String, Codable, Sendable, Hashable, CaseIterable { case session, tenant }

    public var id: String
    public var decision: Decision
    /// For the model, with a deny.
    public var message: String?
    /// The tool's input in place of the one that was asked about.
    public var updatedInput: JSONValue?
    /// Answers to a question, by the question's text.
    public var answers: [String: String]?
    public var remember: Remember?
    /// With a deny: the turn ends too.
    public var interrupts: Bool

    public init(
        id: String, decision: Decision, message: String? = nil, updatedInput: JSONValue? = nil,
        answers: [String: String]? = nil, remember: Remember? = nil, interrupts: Bool = false
    ) {
        self.id = id
        self.decision = decision
        self.message = message
        self.updatedInput = updatedInput
        self.answers = answers
        self.remember = remember
        self.interrupts = interrupts
    }
}
