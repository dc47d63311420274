/// The part of a Messages API request that the script looks at. Everything else is ignored, so that a newer client
/// is not refused.
public struct ModelRequest: Decodable, Sendable {
    public var model: String?
    public var stream: Bool
    public var messages: [Message]
    public var toolNames: [String]
    /// A system prompt came with it, whatever its shape.
    public var hasSystemPrompt: Bool

    public init(
        model: String? = nil, stream: Bool = false, messages: [Message], toolNames: [String] = [],
        hasSystemPrompt: Bool = false
    ) {
        self.model = model
        self.stream = stream
        self.messages = messages
        self.toolNames = toolNames
        self.hasSystemPrompt = hasSystemPrompt
    }

    public init(from decoder: any Decoder) throws {
        struct Tool: Decodable { var name: String? }
        let container = try decoder.container(keyedBy: CodingKeys.self)
        model = try container.decodeIfPresent(String.self, forKey: .model)
        stream = try container.decodeIfPresent(Bool.self, forKey: .stream) ?? false
        messages = try container.decode([Message].self, forKey: .messages)
        toolNames = try container.decodeIfPresent([Tool].self, forKey: .tools)?.compactMap(\.name) ?? []
        hasSystemPrompt = container.contains(.system)
    }

    enum CodingKeys: String, CodingKey { case model, stream, messages, tools, system }
}

extension ModelRequest {
    /// One message of the conversation.
    public struct Message: Decodable, Sendable {
        public var role: String
        public var blocks: [Block]

        public init(role: String, blocks: [Block]) {
            self.role = role
            self.blocks = blocks
        }

        /// `content` is a string or an array of blocks.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            role = try container.decode(String.self, forKey: .role)
            if let text = try? container.decode(String.self, forKey: .content) {
                blocks = [.text(text)]
            } else {
                blocks = try container.decode([Block].self, forKey: .content)
            }
        }

        enum CodingKeys: String, CodingKey { case role, content }
    }

    /// One content block, as far as the script tells them apart.
    public enum Block: Decodable, Sendable, Equatable {
        case text(String)
        case toolUse
        case toolResult
        case other

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            switch try container.decode(String.self, forKey: .type) {
            case "text": self = .text(try container.decode(String.self, forKey: .text))
            case "tool_use": self = .toolUse
            case "tool_result": self = .toolResult
            default: self = .other
            }
        }

        enum CodingKeys: String, CodingKey { case type, text }
    }
}
