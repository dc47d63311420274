public import ClaudeCode

/// What the state engine is told.
public enum StateInput: Sendable, Hashable {
    /// The CLI's status file was read and parsed. (A torn or unreadable one is not reported at all.)
    case statusFile(StatusFile)
    /// The status file is gone, or belongs to a process that is.
    case statusFileGone
    case hook(HookReport)
    case transcript(TranscriptItem)
    /// A permission was answered from here, by its id.
    case answered(String)
    /// Bytes came from the terminal. Reporting them all is cheap; a few a second are enough.
    case output
    /// Somebody typed.
    case typed
    /// Time passed. Once a second is enough.
    case tick
    /// The session's command ended.
    case ended
}
