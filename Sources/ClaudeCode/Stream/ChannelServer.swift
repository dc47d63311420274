import Foundation

/// The MCP server of a session's people, on the sandbox's own loopback: claude-socket's, by which the model says
/// something to them in the middle of its work.
public enum ChannelServer {
    /// As the CLI knows it; also the label of the sessions that have it.
    public static let name = "claude-socket"
    /// Below the sandbox's listener.
    public static let path = "/mcp"

    /// What goes to the start command before everything else: the option takes all words up to the next one.
    public static let arguments = [
        "--mcp-config",
        #"{"mcpServers":{"\#(name)":{"type":"http","url":"\#(SessionEnvironment.listener)\#(path)"}}}"#,
    ]

    /// What goes there too where the server is a channel: one of a server that is no plugin is taken under this option
    /// alone.
    public static let channelArguments = ["--dangerously-load-development-channels", "server:\(name)"]

    /// Of a notification's `meta`: which prompt it is.
    public static let idKey = "message_id"

    /// Which prompts a text is that the CLI made of notifications, which may be of several at once; empty for any other text.
    /// In what people wrote it escapes the end of such a notification, and in what they call themselves quotes.
    public static func ids(in text: String) -> [String] {
        var ids: [String] = []
        var rest = text[...]
        while rest.hasPrefix("<channel source=\"\(name)\""), let end = rest.range(of: "\n</channel>") {
            let head = rest[..<end.lowerBound].prefix { $0 != "\n" }
            if let key = head.range(of: " \(idKey)=\"") {
                let id = head[key.upperBound...].prefix { $0 != "\"" }
                if !id.isEmpty { ids.append(String(id)) }
            }
            rest = rest[end.upperBound...].drop { $0.isWhitespace }
        }
        return ids
    }

    /// Rules under which its tools are used without a question: they reach the session's own people alone.
    public static let allowedTools = ["reply", "status", "fetch_messages"].map { "mcp__\(name)__\($0)" }
}
