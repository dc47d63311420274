public import SessionCore

/// What a claude-remote CLI sends (seed-protocols 4.1 to 4.3).
public enum ClaudeRemoteClientMessage: Sendable, Equatable {
    case auth(ClaudeRemoteProof, ClaudeRemoteHello)
    /// `seq` rises with each, where the CLI numbers them: what it sends again after a lost connection is known by it.
    case output(String, seq: UInt64?)
    case resize(TerminalSize)
    case exit(code: Int64?)
    /// The CLI has seen a question on its screen.
    case prompt(ClaudeRemotePromptText)
    /// What it asked is not on its screen any more.
    case promptClosed
    case pong

    public init(parsing text: String) throws(ClientMessageError) {
        let fields = try ClientFields(parsing: text)
        switch try fields.type() {
        case "auth": self = .auth(try ClaudeRemoteProof(fields), try ClaudeRemoteHello(fields))
        case "output":
            self = .output(
                try fields.string(fields["data"] == nil ? "output" : "data"),
                seq: try fields.integer("seq", in: 1...(1 << 53)).map { UInt64($0) })
        case "resize":
            guard let size = try Self.size(fields) else { throw .badField("cols", "is missing") }
            self = .resize(size)
        case "exit":
            self = .exit(code: try fields.integer(fields["code"] == nil ? "exit_code" : "code", in: -255...255))
        case "prompt": self = .prompt(try ClaudeRemotePromptText(fields))
        case "prompt_closed": self = .promptClosed
        case "pong": self = .pong
        default: throw fields.unknownType()
        }
    }

    static func size(_ fields: ClientFields) throws(ClientMessageError) -> TerminalSize? {
        guard let cols = try fields.integer("cols", in: 1...10_000),
            let rows = try fields.integer("rows", in: 1...10_000)
        else { return nil }
        return TerminalSize(cols: Int(cols), rows: Int(rows))
    }
}

/// What a CLI says of the session that it runs.
public struct ClaudeRemoteHello: Sendable, Equatable {
    public var directory: String
    public var command: String
    public var size: TerminalSize?
    /// The session that it continues after a lost connection.
    public var session: Int64?

    init(_ fields: ClientFields) throws(ClientMessageError) {
        directory = try fields.optionalString("cwd", limit: 4096) ?? ""
        command = try fields.optionalString("command", limit: 4096) ?? "claude"
        size = try ClaudeRemoteClientMessage.size(fields)
        session = try fields.integer("session_id", in: 1...(1 << 53))
    }
}

/// A question that a CLI found on its screen, with what answers it.
public struct ClaudeRemotePromptText: Sendable, Equatable {
    public var text: String
    public var keys: ClaudeRemoteKeys

    public init(_ fields: ClientFields) throws(ClientMessageError) {
        text = try fields.string("prompt_text", limit: 64 * 1024)
        keys = try ClaudeRemoteKeys(fields)
    }
}

/// What approving and rejecting type into a remote terminal.
public struct ClaudeRemoteKeys: Sendable, Equatable {
    public var approve: String
    public var reject: String

    /// Claude Code's numbered dialog: its first entry, and Escape.
    public static let standard = ClaudeRemoteKeys(approve: "1\r", reject: "\u{1B}")
    /// As the first claude-remote typed.
    public static let yesNo = ClaudeRemoteKeys(approve: "y\n", reject: "n\n")

    public init(approve: String, reject: String) {
        self.approve = approve
        self.reject = reject
    }

    init(_ fields: ClientFields) throws(ClientMessageError) {
        let base = try fields.optionalString("keys") == "y/n" ? Self.yesNo : .standard
        approve = try fields.optionalString("approve", limit: 64) ?? base.approve
        reject = try fields.optionalString("reject", limit: 64) ?? base.reject
    }
}

/// What a claude-remote CLI is sent.
public enum ClaudeRemoteServerMessage: Sendable, Equatable {
    /// The number of its session, to come back with.
    /// And of the last output that was taken, if one was numbered.
    case welcome(session: Int64, received: UInt64?)
    case input(String)
    case resize(TerminalSize)
    case ping

    public var json: JSONValue {
        switch self {
        case .welcome(let session, let received):
            [
                "type": "auth_ok", "session_id": .integer(session),
                "received": received.map { .integer(Int64(clamping: $0)) } ?? .null,
            ]
        case .input(let data): ["type": "input", "data": .string(data)]
        case .resize(let size):
            ["type": "resize", "cols": .integer(Int64(size.cols)), "rows": .integer(Int64(size.rows))]
        case .ping: ["type": "ping"]
        }
    }
}

/// The body of `POST /api/prompts/{id}/answer`.
public struct ClaudeRemoteAnswer: Sendable, Equatable {
    public var value: String

    public init(_ body: JSONValue) throws(ClientMessageError) {
        let fields = try ClientFields(body)
        let type = try fields.optionalString("type") ?? "text"
        guard ["option", "text", "tab_instructions"].contains(type) else {
            throw .badField("type", "must be 'option', 'text' or 'tab_instructions'")
        }
        if let number = fields["value"]?.integer {
            value = String(number)
        } else {
            value = try fields.string("value", limit: 64 * 1024)
        }
    }

    /// What is typed.
    public var keys: String { value + "\n" }
}
