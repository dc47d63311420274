/// How a session's backend speaks.
public enum SessionKind: String, Codable, Sendable, Hashable, CaseIterable {
    /// Claude's own screen, in a terminal.
    case terminal
    /// Claude over NDJSON on its standard streams, without a screen.
    case structured
    /// As a structured one, and runs elsewhere: it dials in, and is never made here.
    case remote
}
