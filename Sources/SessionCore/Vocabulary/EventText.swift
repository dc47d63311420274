/// Texts of events, bounded; what they come from has the rest.
public enum EventText {
    /// Bytes of one text.
    public static let longest = 32 * 1024
    /// Bytes of a tool's input as JSON, where it is asked about; a larger one is not shown.
    public static let longestInput = 1 << 20
    /// The same where it is only told of.
    public static let longestToldInput = 64 * 1024

    /// `text`, and where it was cut `truncated` and `bytes`.
    public static func members(_ text: String) -> [String: JSONValue] {
        let size = text.utf8.count
        guard size > longest else { return ["text": .string(text)] }
        return ["text": .string(prefix(text)), "truncated": true, "bytes": .integer(Int64(size))]
    }

    public static func cut(_ text: String) -> JSONValue {
        .string(text.utf8.count > longest ? prefix(text) + "…" : text)
    }

    /// A tool's input that is told of; null for one that is too large.
    public static func input(_ json: String) -> JSONValue {
        JSONValue(parsing: json, limit: longestToldInput) ?? .null
    }

    private static func prefix(_ text: String) -> String {
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: longest)
        // Not amid a character.
        while text.utf8[end] & 0b1100_0000 == 0b1000_0000 { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }
}
