/// What came of a ``SessionCommand``.
///
/// On `…/stream` a frame of its own: `{"type":"answer","id":…,"ok":true,"data":{…}}`, or
/// `{"type":"answer","id":…,"ok":false,"error":{"code","detail","data"?}}`.
public enum CommandOutcome: Codable, Sendable, Hashable {
    /// With what the table of commands says.
    case done(JSONValue)
    case failed(CommandFailure)
}

/// Why a command was not carried out, or why nobody knows whether it was.
public struct CommandFailure: Error, Codable, Sendable, Hashable {
    /// | code | meaning |
    /// |---|---|
    /// | `malformed_command`, `unknown_command` | it cannot be read |
    /// | `not_allowed` | the client's access is too small |
    /// | `not_structured` | a terminal session does not take it |
    /// | `session_over`, `session_ending` | the program has ended, or is being ended |
    /// | `input_backlog`, `input_too_large`, `journal_full` | a prompt that is not taken; it may be sent again |
    /// | `no_such_permission` | no permission has this id, or had it |
    /// | `already_answered` | `data`: `by`, `decision`, `via`, `time` of the answer that was first |
    /// | `not_answerable` | only the terminal can answer it, or not in this way |
    /// | `no_such_prompt`, `already_begun` | nothing is left to withdraw |
    /// | `cli_refused` | the program said no; `detail` has its words |
    /// | `uncertain` | the program did not answer in time: it may or may not have been carried out, and is not tried again |
    public var code: String
    public var detail: String
    public var data: JSONValue?

    public init(_ code: String, _ detail: String, data: JSONValue? = nil) {
        self.code = code
        self.detail = detail
        self.data = data
    }
}
