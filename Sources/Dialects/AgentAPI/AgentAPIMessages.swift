public import Foundation
public import SessionCore

/// One event of agentapi's `/events`.
public enum AgentAPIEvent: Sendable, Equatable {
    case message(AgentAPIConversation.Message)
    case status(AgentAPIConversation.Status)
    case error(message: String, level: String, time: Date)

    public var name: String {
        switch self {
        case .message: "message_update"
        case .status: "status_change"
        case .error: "agent_error"
        }
    }

    public var data: JSONValue {
        switch self {
        case .message(let message):
            // `message` here, `content` in /messages: as agentapi has it.
            return [
                "id": .integer(Int64(message.id)), "role": .string(message.role), "message": .string(message.content),
                "time": .string(message.time.formatted(.rookery)),
            ]
        case .status(let status): return ["status": .string(status.rawValue), "agent_type": "claude"]
        case .error(let message, let level, let time):
            return [
                "message": .string(message), "level": .string(level), "time": .string(time.formatted(.rookery)),
            ]
        }
    }

    /// The event as a frame of `text/event-stream`.
    public var frame: String { "event: \(name)\ndata: \(data.text)\n\n" }
}

extension AgentAPIConversation.Message {
    var role: String { isUser ? "user" : "agent" }

    public var json: JSONValue {
        [
            "id": .integer(Int64(id)), "role": .string(role), "content": .string(content),
            "time": .string(time.formatted(.rookery)),
        ]
    }
}

/// The body of `POST /message`.
public enum AgentAPIRequest: Sendable, Equatable {
    /// A prompt: taken only while the agent is stable.
    case user(String)
    /// Keys, at any time.
    case raw(String)

    /// - Throws: what agentapi answers with 422.
    public init(_ body: JSONValue) throws(ClientMessageError) {
        let fields = try ClientFields(body)
        let content = try fields.string("content")
        switch try fields.string("type", limit: 64) {
        case "user": self = .user(content)
        case "raw": self = .raw(content)
        default: throw .badField("type", "must be 'user' or 'raw'")
        }
    }
}

/// agentapi's answers to requests.
public enum AgentAPIDocument {
    public static func status(_ status: AgentAPIConversation.Status, transport: String) -> JSONValue {
        ["status": .string(status.rawValue), "agent_type": "claude", "transport": .string(transport)]
    }

    public static func messages(_ messages: [AgentAPIConversation.Message]) -> JSONValue {
        ["messages": .array(messages.map(\.json))]
    }

    /// Bytes of an upload's body: ten mebibytes of a file, and what is around it.
    public static let largestUpload = (10 << 20) + (64 << 10)

    public static let ok: JSONValue = ["ok": true]

    /// What agentapi says when a prompt comes at the wrong time.
    public static let notWaiting = "message can only be sent when the agent is waiting for user input"
}
