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

    /// What a server that is a channel says of itself, among its experimental capabilities.
    public static let capability = "claude/channel"

    /// Of a notification's `meta`: which prompt it is.
    public static let idKey = "message_id"

    /// Which prompt a text is that the CLI made of a notification; nil for any other text.
    public static func id(in text: String) -> String? {
        guard text.hasPrefix("<channel source=\"\(name)\"") else { return nil }
        // What people wrote comes after the first line, and quotes in what they call themselves are escaped.
        let head = text.prefix(16 * 1024).prefix { $0 != "\n" }
        guard let key = head.range(of: " \(idKey)=\"") else { return nil }
        let id = head[key.upperBound...].prefix { $0 != "\"" }
        return id.isEmpty ? nil : String(id)
    }

    /// Rules under which its tools are used without a question: they reach the session's own people alone.
    public static let allowedTools = ["reply", "status", "fetch_messages"].map { "mcp__\(name)__\($0)" }
}
