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

    /// Rules under which its tools are used without a question: they reach the session's own people alone.
    public static let allowedTools = ["reply", "status", "fetch_messages"].map { "mcp__\(name)__\($0)" }
}
