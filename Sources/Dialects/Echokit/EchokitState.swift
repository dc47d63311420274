public import SessionCore

/// A session's state in echokit's terms (seed-protocols 1.5).
public enum EchokitState: Sendable, Equatable {
    case idle
    case working(prompt: String)
    case output(String, isThinking: Bool)
    case preUseTool([EchokitTool], isPending: Bool)
    case stopUseTool(isError: Bool)
}

/// One tool call of a turn.
public struct EchokitTool: Sendable, Equatable {
    public var id: String
    public var name: String
    public var input: JSONValue
    public var done: Bool

    public init(id: String, name: String, input: JSONValue, done: Bool = false) {
        self.id = id
        self.name = name
        self.input = input
        self.done = done
    }

    var json: JSONValue {
        ["id": .string(id), "name": .string(name), "input": input, "done": .bool(done)]
    }
}

extension EchokitState {
    /// The gates of seed-protocols 1.5.
    public var allowsInput: Bool {
        switch self {
        case .idle, .output(_, isThinking: false), .stopUseTool: true
        case .working, .output, .preUseTool: false
        }
    }

    public var allowsCancel: Bool {
        switch self {
        case .output(_, isThinking: true), .preUseTool: true
        case .idle, .working, .output, .stopUseTool: false
        }
    }

    public var allowsConfirm: Bool {
        switch self {
        case .idle, .output(_, isThinking: false), .stopUseTool, .preUseTool(_, isPending: true): true
        case .working, .output, .preUseTool: false
        }
    }

    /// What `error_state` calls it.
    public var errorName: String {
        switch self {
        case .idle: "idle"
        case .working: "working"
        case .output(_, isThinking: true): "thinking"
        case .output: "output"
        case .preUseTool: "pre_use_tool"
        case .stopUseTool(isError: true): "stop_use_tool_error"
        case .stopUseTool: "stop_use_tool"
        }
    }

    var json: JSONValue {
        switch self {
        case .idle: ["state": "Idle"]
        case .working(let prompt): ["state": "Working", "prompt": .string(prompt)]
        case .output(let text, let isThinking):
            ["state": "Output", "output": .string(text), "is_thinking": .bool(isThinking)]
        case .preUseTool(let tools, let isPending):
            ["state": "PreUseTool", "request": .array(tools.map(\.json)), "is_pending": .bool(isPending)]
        case .stopUseTool(let isError): ["state": "StopUseTool", "is_error": .bool(isError)]
        }
    }
}
