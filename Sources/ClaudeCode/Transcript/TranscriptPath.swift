/// Where the CLI keeps a conversation.
public enum TranscriptPath {
    private static let longestSlug = 200

    /// The CLI's name for a working directory: every UTF-16 unit that is not an ASCII letter or digit becomes `-`;
    /// past 200 units the rest is replaced by `-` and a hash of the whole path.
    public static func slug(of directory: String) -> String {
        var units: [UInt8] = []
        var hash: Int32 = 0
        for unit in directory.utf16 {
            hash = hash &* 31 &+ Int32(unit)
            switch unit {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: units.append(UInt8(unit))
            default: units.append(0x2D)
            }
        }
        guard units.count > longestSlug else { return String(decoding: units, as: UTF8.self) }
        return String(decoding: units.prefix(longestSlug), as: UTF8.self) + "-" + String(hash.magnitude, radix: 36)
    }

    /// `<config directory>/projects/<slug>/<session id>.jsonl`. The CLI goes by the physical path of its working
    /// directory.
    public static func path(configDirectory: String, workingDirectory: String, sessionID: String) -> String {
        "\(configDirectory)/projects/\(slug(of: workingDirectory))/\(sessionID).jsonl"
    }
}
