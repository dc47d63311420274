/// How a prompt came that was said over claude-socket's wire: what the model is shown of it, where it is shown any of it.
public struct ChannelOrigin: Sendable, Hashable {
    /// The conversation, as the client names it.
    public var chat: String
    /// Who says it, in the client's own words: for display alone.
    public var user: String?
    /// When, likewise.
    public var time: String?

    /// Bytes of each.
    public static let longestChat = 1024
    public static let longestUser = 1024
    public static let longestTime = 256

    /// What is longer is cut.
    public init(chat: String, user: String? = nil, time: String? = nil) {
        self.chat = Self.cut(chat, Self.longestChat)
        self.user = user.map { Self.cut($0, Self.longestUser) }
        self.time = time.map { Self.cut($0, Self.longestTime) }
    }

    private static func cut(_ text: String, _ most: Int) -> String {
        guard text.utf8.count > most else { return text }
        var bytes = 0
        let kept = text.unicodeScalars.prefix { scalar in
            bytes += UTF8.width(scalar)
            return bytes <= most
        }
        return String(String.UnicodeScalarView(kept))
    }

    var json: JSONValue {
        var members: [String: JSONValue] = ["chat_id": .string(chat)]
        if let user { members["user"] = .string(user) }
        if let time { members["ts"] = .string(time) }
        return .object(members)
    }
}
