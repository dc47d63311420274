/// How a session's backend speaks. Remote sessions come with a later version.
public enum SessionKind: String, Codable, Sendable, Hashable, CaseIterable {
    /// Claude's own screen, in a terminal.
    case terminal
    /// Claude over NDJSON on its standard streams, without a screen.
    case structured
}
