/// How the CLI is started to speak stream-json on its standard streams.
public enum StreamArguments {
    /// What goes to the start command, which adds the session's id, its model and its permission mode.
    public static let all = [
        "-p", "--output-format", "stream-json", "--input-format", "stream-json", "--verbose",
        // Asks on the same streams instead of refusing whatever needs a permission.
        "--permission-prompt-tool", "stdio",
        "--include-partial-messages",
        // Says of each prompt when it is taken.
        "--replay-user-messages",
    ]

    /// Has the CLI say when it is idle: otherwise the end of a turn would have to do, which is not the end of the work.
    public static let environment = ["CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1"]
}
