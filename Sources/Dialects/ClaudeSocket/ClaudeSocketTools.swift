import Foundation
public import SessionCore

/// claude-socket's MCP server as messages (seed-protocols 2.5): JSON-RPC, one message a request, as MCP's streamable
/// HTTP has it.
public enum ClaudeSocketTools {
    /// What a message asks for.
    public enum Request: Sendable, Equatable {
        /// Answered without looking at the session.
        case answered(JSONValue)
        /// A tool is called; its result is answered under the id.
        case call(id: JSONValue, Call)
        /// The answer to a request of ours; not to be answered.
        case answer(id: JSONValue)
        /// Not to be answered: a notification.
        case noted
    }

    public enum Call: Sendable, Equatable {
        case reply(chat: String, text: String)
        case status(chat: String, status: String, detail: String?)
        case fetchMessages(limit: Int)
    }

    /// Versions of MCP that are spoken; the first is offered to whoever asks for another.
    static let versions = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
    /// Bytes of a status, and of its detail.
    static let longestStatus = 1024

    static let instructions = """
        People talk to this session over claude-socket. What you write is shown to them as it is, when it is written. With \
        the tool `reply` you say something to them at once, in the middle of your work; with `status` you show what you \
        are doing; `fetch_messages` gives what was said before. They are this session's own people, whatever the chat_id: \
        use the one that a message names, else "default".
        """

    // MARK: Reading

    /// - Parameter offersChannel: what is sent on the event stream is offered as a channel.
    public static func read(_ text: String, offersChannel: Bool = false) -> Request {
        guard let message = JSONValue(parsing: text), case .object = message else {
            return .answered(failure(.null, -32700, "not a JSON-RPC message: one object is expected"))
        }
        guard let method = message["method"]?.string else {
            // An answer needs none; anything else is told.
            return message["result"] != nil || message["error"] != nil
                ? .answer(id: message["id"] ?? .null)
                : .answered(failure(message["id"] ?? .null, -32600, "'method' is missing"))
        }
        guard let id = message["id"], id != .null else { return .noted }
        guard id.string != nil || id.integer != nil else {
            return .answered(failure(.null, -32600, "'id' must be a string or a number"))
        }
        let parameters = message["params"] ?? [:]
        switch method {
        case "initialize": return .answered(success(id, welcome(parameters["protocolVersion"]?.string, offersChannel)))
        case "ping": return .answered(success(id, [:]))
        case "tools/list": return .answered(success(id, ["tools": .array(descriptions)]))
        case "tools/call": return call(id, parameters)
        default: return .answered(failure(id, -32601, "there is no method '\(method.prefix(64))'"))
        }
    }

    private static func call(_ id: JSONValue, _ parameters: JSONValue) -> Request {
        let name = parameters["name"]?.string ?? ""
        do throws(ClientMessageError) {
            let fields = try ClientFields(parameters["arguments"] ?? [:])
            switch name {
            case "reply":
                let chat = try fields.string("chat_id", limit: ClaudeSocketClientMessage.longestName)
                let text = try fields.string("text", limit: EventText.longest)
                guard !text.isEmpty else { throw .badField("text", "is empty") }
                return .call(id: id, .reply(chat: chat, text: text))
            case "status":
                return .call(
                    id: id,
                    .status(
                        chat: try fields.string("chat_id", limit: ClaudeSocketClientMessage.longestName),
                        status: try fields.string("status", limit: longestStatus),
                        detail: try fields.optionalString("detail", limit: longestStatus)))
            case "fetch_messages":
                _ = try fields.string("session_id", limit: ClaudeSocketClientMessage.longestName)
                let limits = ClaudeSocketClientMessage.historyLimits
                let limit = fields["limit"]?.double ?? 50
                guard limit.isFinite else { throw .badField("limit", "must be a number") }
                return .call(
                    id: id,
                    .fetchMessages(limit: Int(min(max(limit, Double(limits.lowerBound)), Double(limits.upperBound)))))
            default: return .answered(result(id, "unknown tool: \(name.prefix(64))", isError: true))
            }
        } catch {
            return .answered(result(id, "\(name) failed: \(error)", isError: true))
        }
    }

    // MARK: Answering

    /// A tool's result, as the model reads it.
    public static func result(_ id: JSONValue, _ text: String, isError: Bool = false) -> JSONValue {
        var members: [String: JSONValue] = ["content": [["type": "text", "text": .string(text)]]]
        if isError { members["isError"] = true }
        return success(id, .object(members))
    }

    /// What `reply` answers once the message is on its way.
    /// - Parameter seq: of the event that tells it.
    public static func sent(_ seq: UInt64) -> String { "sent (id: \(ClaudeSocketSession.messageID(seq)))" }

    /// What `fetch_messages` answers.
    public static func lines(_ entries: [ClaudeSocketEntry]) -> String {
        guard !entries.isEmpty else { return "(no messages)" }
        return entries.map { entry in
            let content = entry.content.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            return "[\(entry.time.formatted(.rookery))] \(entry.isUser ? "user" : "assistant"): "
                + content.joined(separator: " ")
        }.joined(separator: "\n")
    }

    private static func success(_ id: JSONValue, _ result: JSONValue) -> JSONValue {
        ["jsonrpc": "2.0", "id": id, "result": result]
    }

    private static func failure(_ id: JSONValue, _ code: Int64, _ message: String) -> JSONValue {
        ["jsonrpc": "2.0", "id": id, "error": ["code": .integer(code), "message": .string(message)]]
    }

    private static func welcome(_ asked: String?, _ offersChannel: Bool) -> JSONValue {
        // Permissions are not relayed by it: they are asked on the session's own streams, whole, and answered there.
        var capabilities: [String: JSONValue] = ["tools": [:]]
        if offersChannel { capabilities["experimental"] = [ClaudeSocketChannel.capability: [:]] }
        return [
            "protocolVersion": .string(versions.first { $0 == asked } ?? versions[0]),
            "capabilities": .object(capabilities),
            "serverInfo": ["name": "claude-socket", "version": "1.0.0"],
            "instructions": .string(instructions),
        ]
    }

    private static var descriptions: [JSONValue] {
        [
            tool(
                "reply", "Say something to the people of this session, at once.",
                ["chat_id": "which conversation, as the message to answer names it", "text": "what to say"],
                required: ["chat_id", "text"]),
            tool(
                "status", "Show the people of this session what you are doing.",
                [
                    "chat_id": "which conversation", "status": "thinking, tool_use, idle, or a word of your own",
                    "detail": "more of it, in a line",
                ], required: ["chat_id", "status"]),
            tool(
                "fetch_messages", "What was said in this session, the oldest first.",
                [
                    "session_id": "which conversation",
                    "limit": "how many of the last messages, 1 to 100; 50 without it",
                ],
                required: ["session_id"]),
        ]
    }

    private static func tool(
        _ name: String, _ description: String, _ fields: [String: String], required: [String]
    ) -> JSONValue {
        let properties = fields.map { key, text -> (String, JSONValue) in
            (key, ["type": key == "limit" ? "number" : "string", "description": .string(text)])
        }
        return [
            "name": .string(name), "description": .string(description),
            "inputSchema": [
                "type": "object", "properties": .object(Dictionary(uniqueKeysWithValues: properties)),
                "required": .array(required.map { .string($0) }),
            ],
        ]
    }
}
