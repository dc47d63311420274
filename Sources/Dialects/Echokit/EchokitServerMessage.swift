public import SessionCore

/// What echokit clients are sent, both families: the messages of its current source and those of its
/// documentation that the source has since dropped (seed-protocols 1.3, 1.4). Terminal output goes through
/// ``EchokitOutputEncoder``.
public enum EchokitServerMessage: Sendable, Equatable {
    case state(EchokitState)
    case idle
    case ended
    case running
    case pending(tool: EchokitTool)
    case toolRequest(tool: EchokitTool)
    case output(String, isThinking: Bool)
    case notFound(id: String)
    case invalidInput(id: String, message: String)
    case invalidForState(EchokitState, input: String)
    case internalError(String)

    /// The answer to what is not a message of the protocol.
    public static let malformed = invalidInput(id: "", message: "Failed to parse input message")

    public static func invalidUUID(_ id: String) -> Self {
        invalidInput(id: id, message: "Invalid UUID format: \(id)")
    }

    /// A reply to a request, as opposed to something the session does: what `POST /api/{id}/input` waits for.
    public var isError: Bool {
        switch self {
        case .notFound, .invalidInput, .invalidForState, .internalError: true
        case .state, .idle, .ended, .running, .pending, .toolRequest, .output: false
        }
    }

    public func json(session: SessionID, compatibility: EchokitCompatibility = .documented) -> JSONValue {
        let id = JSONValue.string(session.description)
        switch self {
        case .state(let state): return ["type": "session_state", "session_id": id, "current_state": state.json]
        case .idle: return ["type": "session_idle", "session_id": id]
        case .ended: return ["type": "session_ended", "session_id": id]
        case .running: return ["type": "session_running", "session_id": id]
        case .pending(let tool):
            return [
                "type": "session_pending", "session_id": id, "tool_name": .string(tool.name), "tool_input": tool.input,
            ]
        case .toolRequest(let tool):
            return [
                "type": "session_tool_request", "session_id": id, "tool_name": .string(tool.name),
                "tool_input": tool.input,
            ]
        case .output(let text, let isThinking):
            return [
                "type": "session_output", "session_id": id, "output": .string(text), "is_thinking": .bool(isThinking),
            ]
        case .notFound(let id):
            return ["type": "session_error", "session_id": .string(id), "error_code": "session_not_found"]
        case .invalidInput(let id, let message):
            return [
                "type": "session_error", "session_id": .string(id), "error_code": "invalid_input",
                "error_message": .string(message),
            ]
        case .invalidForState(let state, let input):
            return [
                "type": "session_error", "session_id": id, "error_code": "invalid_input_for_state",
                "error_state": .string(state.errorName), "error_input": .string(input),
            ]
        case .internalError(let message):
            return [
                "type": "session_error", "session_id": id, "error_code": .string(compatibility.internalError),
                "error_message": .string(message),
            ]
        }
    }
}

/// The one field that cannot carry both families at once.
public enum EchokitCompatibility: Sendable, Equatable {
    /// `internal_error`, as documented and as the bundled page tests.
    case documented
    /// `InternalError`, as the source at its head sends: `?compat=echokit-head`.
    case head

    /// Reads it from a request target such as `/ws/<id>?compat=echokit-head`.
    public init(target: some StringProtocol) {
        let query = target.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        self = query.split(separator: "&").contains { $0 == "compat=echokit-head" } ? .head : .documented
    }

    var internalError: String {
        switch self {
        case .documented: "internal_error"
        case .head: "InternalError"
        }
    }
}
