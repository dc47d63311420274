import Foundation

extension JSONValue {
    /// Parses JSON text, of at most `limit` bytes.
    public init?(parsing text: String, limit: Int = 4 << 20) {
        guard text.utf8.count <= limit,
            let value = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        else { return nil }
        self = value
    }
}
