/// What `system/init` says of the session.
public struct StreamSettings: Sendable, Hashable {
    public var model: String?
    public var permissionMode: String?
    public var workingDirectory: String?
    public var version: String?
    public var tools: [String]
    public var commands: [String]
    /// Name and status.
    public var servers: [Server]

    public struct Server: Sendable, Hashable {
        public var name: String
        public var status: String

        public init(name: String, status: String) {
            self.name = name
            self.status = status
        }
    }

    public init(model: String? = nil, permissionMode: String? = nil) {
        self.model = model
        self.permissionMode = permissionMode
        tools = []
        commands = []
        servers = []
    }

    init(_ object: JSONObject) {
        model = object.string("model")
        permissionMode = object.string("permissionMode")
        workingDirectory = object.string("cwd")
        version = object.string("claude_code_version")
        tools = object.strings("tools")
        commands = object.strings("slash_commands")
        servers = object.objects("mcp_servers").compactMap { server in
            server.string("name").map { Server(name: $0, status: server.string("status") ?? "") }
        }
    }
}

/// The model API did not answer, and is asked again.
public struct StreamRetry: Sendable, Hashable {
    public var attempt: Int
    public var most: Int
    public var delayMilliseconds: Int
    public var status: Int?
    public var error: String?

    init(_ object: JSONObject) {
        attempt = object.integer("attempt") ?? 0
        most = object.integer("max_retries") ?? 0
        delayMilliseconds = object.integer("retry_delay_ms") ?? 0
        status = object.integer("error_status")
        error = object.string("error")
    }
}

/// Something in the background began, or ended.
public struct StreamTask: Sendable, Hashable {
    public var id: String
    public var toolUseID: String?
    public var description: String?
    /// How it ended; nil: it began.
    public var status: String?

    init?(_ object: JSONObject) {
        guard let id = object.string("task_id") else { return nil }
        self.id = id
        toolUseID = object.string("tool_use_id")
        description = object.string("description") ?? object.string("summary")
        status = object.string("subtype") == "task_started" ? nil : object.string("status") ?? "ended"
    }
}

/// A tool may be used only if somebody allows it.
public struct StreamPermission: Sendable, Hashable {
    /// Of the request; the answer repeats it.
    public var id: String
    public var toolName: String
    public var toolUseID: String?
    /// JSON text with sorted keys.
    public var input: String
    public var description: String?
    /// JSON text.
    public var suggestions: String?
    /// A person must answer: a question, or a plan.
    public var needsPerson: Bool

    init(id: String, _ request: JSONObject) {
        self.id = id
        toolName = request.string("tool_name") ?? ""
        toolUseID = request.string("tool_use_id")
        input = request.text("input") ?? "{}"
        description = request.string("description")
        suggestions = request.text("permission_suggestions")
        needsPerson = request.bool("requires_user_interaction") ?? false
    }
}

/// What the CLI answered to a request of ours.
public enum StreamAnswer: Sendable, Hashable {
    /// JSON text.
    case success(String)
    case failure(String)

    init(_ response: JSONObject) {
        if response.string("subtype") == "success" {
            self = .success(response.text("response") ?? "{}")
        } else {
            self = .failure(response.string("error") ?? "the program gave no reason")
        }
    }
}
