/// Where the CLI keeps a conversation.
public enum TranscriptPath {
    /// The CLI's name for a working directory: every character that is not an ASCII letter or digit becomes `-`.
    public static func slug(of directory: String) -> String {
        String(
            directory.unicodeScalars.map { scalar in
                let keeps = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
                return keeps ? Character(scalar) : "-"
            })
    }

    /// `<config directory>/projects/<slug>/<session id>.jsonl`. The CLI goes by the physical path of its working
    /// directory.
    public static func path(configDirectory: String, workingDirectory: String, sessionID: String) -> String {
        "\(configDirectory)/projects/\(slug(of: workingDirectory))/\(sessionID).jsonl"
    }
}
