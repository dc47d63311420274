public import SessionCore

/// What claude-socket's MCP server sends on its event stream (seed-protocols 2.5): what people say, and a question whose
/// answer shows that everything before it was read.
public enum ClaudeSocketChannel {
    static let capability = "claude/channel"

    /// A prompt as a channel notification.
    /// - Parameters:
    ///   - id: the prompt's, by which it is found again in what the model was shown.
    ///   - sender: who it is from where the client does not say.
    public static func notification(
        _ text: String, id: String, from origin: ChannelOrigin, sender: String, time: String
    ) -> JSONValue {
        [
            "jsonrpc": "2.0", "method": "notifications/claude/channel",
            "params": [
                "content": .string(text),
                "meta": [
                    "chat_id": .string(origin.chat), "user": .string(origin.user ?? sender),
                    "ts": .string(origin.time ?? time), "source": "websocket", "message_id": .string(id),
                ],
            ],
        ]
    }

    public static func ping(_ number: Int) -> JSONValue {
        ["jsonrpc": "2.0", "id": .string("\(prefix)\(number)"), "method": "ping"]
    }

    /// Which of our pings an answer is to.
    public static func pingNumber(_ id: JSONValue) -> Int? {
        guard let text = id.string, text.hasPrefix(prefix) else { return nil }
        return Int(text.dropFirst(prefix.count))
    }

    private static let prefix = "rookery-"

    /// One message of the stream.
    public static func event(_ message: JSONValue) -> String { "event: message\ndata: \(message.text)\n\n" }
}
