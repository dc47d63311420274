import Foundation

/// JSON written as text, so that the wire format stands in the source as it is sent.
enum JSONText {
    /// A string with its quotes.
    static func string(_ text: String) -> String { encode(text) }

    static func object(_ members: [String: String]) -> String { encode(members) }

    private static func encode(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and dictionaries of strings always encode.
        guard let data = try? encoder.encode(value) else { return "null" }
        return String(decoding: data, as: UTF8.self)
    }
}
