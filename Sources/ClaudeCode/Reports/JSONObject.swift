import Foundation

/// A JSON object from the CLI, read leniently: a field of an unexpected type reads as absent.
struct JSONObject {
    let members: [String: Any]

    init(_ members: [String: Any]) { self.members = members }

    /// nil when the bytes are not one JSON object, or are more than `limit`.
    init?(_ bytes: Data, limit: Int) {
        guard bytes.count <= limit,
            let members = try? JSONSerialization.jsonObject(with: bytes) as? [String: Any]
        else { return nil }
        self.members = members
    }

    func string(_ key: String) -> String? { members[key] as? String }
    func object(_ key: String) -> JSONObject? { (members[key] as? [String: Any]).map(JSONObject.init) }
    func array(_ key: String) -> [Any]? { members[key] as? [Any] }
    func objects(_ key: String) -> [JSONObject] {
        (members[key] as? [Any] ?? []).compactMap { ($0 as? [String: Any]).map(JSONObject.init) }
    }
    func strings(_ key: String) -> [String] { (members[key] as? [Any] ?? []).compactMap { $0 as? String } }
    func number(_ key: String) -> Double? { members[key] as? Double ?? (members[key] as? Int).map(Double.init) }
    func has(_ key: String) -> Bool { members[key] != nil && !(members[key] is NSNull) }

    func integer(_ key: String) -> Int? {
        if let number = members[key] as? Int { return number }
        guard let number = members[key] as? Double, let integer = Int(exactly: number.rounded()) else { return nil }
        return integer
    }

    func bool(_ key: String) -> Bool? { members[key] as? Bool }

    /// The member's value as JSON text with sorted keys.
    func text(_ key: String) -> String? {
        guard let value = members[key], !(value is NSNull),
            let data = try? JSONSerialization.data(
                withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes])
        else { return nil }
        return String(decoding: data, as: UTF8.self)
    }
}
