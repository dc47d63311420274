/// A message of the model's, or a part of one: the CLI sends each block as soon as it is whole.
public struct StreamContent: Sendable, Hashable {
    public enum Block: Sendable, Hashable {
        case text(String)
        case thinking(String)
        /// `input` is JSON text with sorted keys.
        case toolUse(id: String, name: String, input: String)
    }

    /// The message's own id, the same for all its parts.
    public var messageID: String
    public var model: String?
    /// The call of the subagent that speaks.
    public var parent: String?
    /// The ``TranscriptLine/id`` it is stored by.
    public var line: String?
    public var blocks: [Block]

    public init(
        messageID: String, model: String? = nil, parent: String? = nil, line: String? = nil, blocks: [Block]
    ) {
        self.messageID = messageID
        self.line = line
        self.model = model
        self.parent = parent
        self.blocks = blocks
    }

    init?(_ object: JSONObject) {
        guard let message = object.object("message") else { return nil }
        messageID = message.string("id") ?? ""
        model = message.string("model")
        parent = object.string("parent_tool_use_id")
        line = object.string("uuid")
        blocks = message.objects("content").compactMap { block in
            switch block.string("type") {
            case "text": block.string("text").map { .text($0) }
            case "thinking": block.string("thinking").map { .thinking($0) }
            case "tool_use":
                block.string("id").map {
                    .toolUse(id: $0, name: block.string("name") ?? "", input: block.text("input") ?? "{}")
                }
            default: nil
            }
        }
    }
}

/// What goes to the model: prompts that were taken, and what tools gave.
public struct StreamUser: Sendable, Hashable {
    public struct ToolResult: Sendable, Hashable {
        public var id: String
        public var isError: Bool
        public var text: String

        public init(id: String, isError: Bool, text: String) {
            self.id = id
            self.isError = isError
            self.text = text
        }
    }

    /// Of the prompt, as it was sent.
    public var id: String?
    /// A prompt that was sent, repeated as it is taken (`--replay-user-messages`).
    public var isReplay: Bool
    public var text: String?
    public var results: [ToolResult]
    public var parent: String?

    public init(
        id: String? = nil, isReplay: Bool = false, text: String? = nil, results: [ToolResult] = [],
        parent: String? = nil
    ) {
        self.id = id
        self.isReplay = isReplay
        self.text = text
        self.results = results
        self.parent = parent
    }

    init(_ object: JSONObject) {
        let message = object.object("message")
        id = object.string("uuid")
        isReplay = object.bool("isReplay") ?? false
        parent = object.string("parent_tool_use_id")
        let blocks = message?.objects("content") ?? []
        let texts = blocks.compactMap { $0.string("type") == "text" ? $0.string("text") : nil }
        text = message?.string("content") ?? (texts.isEmpty ? nil : texts.joined(separator: "\n"))
        results = blocks.compactMap { block in
            guard block.string("type") == "tool_result", let id = block.string("tool_use_id") else { return nil }
            let text =
                block.string("content")
                ?? block.objects("content").compactMap { $0.string("text") }.joined(separator: "\n")
            return ToolResult(id: id, isError: block.bool("is_error") ?? false, text: text)
        }
    }
}

/// A piece of a text that is being written.
public struct StreamDelta: Sendable, Hashable {
    public var messageID: String
    public var index: Int
    public var isThinking: Bool
    public var text: String
    public var parent: String?

    public init(messageID: String, index: Int, isThinking: Bool, text: String, parent: String? = nil) {
        self.messageID = messageID
        self.index = index
        self.isThinking = isThinking
        self.text = text
        self.parent = parent
    }

    init?(_ object: JSONObject) {
        guard let event = object.object("event"), event.string("type") == "content_block_delta",
            let delta = event.object("delta")
        else { return nil }
        switch delta.string("type") {
        case "text_delta":
            isThinking = false
            text = delta.string("text") ?? ""
        case "thinking_delta":
            isThinking = true
            text = delta.string("thinking") ?? ""
        default: return nil
        }
        messageID = object.string("api_message_id") ?? ""
        index = event.integer("index") ?? 0
        parent = object.string("parent_tool_use_id")
    }
}
