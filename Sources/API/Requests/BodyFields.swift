import Policy
import SessionCore

/// The members of one JSON object of a request. Every reader names the field in its refusal (422), and a member
/// that no reader knows is refused too: a misspelt option must not be ignored.
struct BodyFields {
    private let members: [String: JSONValue]
    private let path: String
    private let nullable: Bool

    /// - Parameter nullable: whether `null` stands for an absent value (creation) or is refused (change).
    init(
        _ value: JSONValue, allowed: Set<String>, unsupported: Set<String> = [], at path: String = "",
        nullable: Bool = true
    ) throws(Problem) {
        guard case .object(let members) = value else {
            throw Problem.invalid("\(path.isEmpty ? "the body" : "'\(path)'") must be a JSON object", field: path)
        }
        self.members = members
        self.path = path.isEmpty ? "" : path + "."
        self.nullable = nullable
        for key in members.keys.sorted() where !allowed.contains(key) {
            let name = self.path + key.prefix(80)
            if unsupported.contains(key) {
                throw Problem(
                    422, "unsupported", "'\(name)' is not supported by this version; leave it out",
                    members: ["field": .string(name)])
            }
            throw Problem(
                422, "unknown_field",
                "'\(name)' is not a field of this request; known are \(allowed.sorted().joined(separator: ", "))",
                members: ["field": .string(name)])
        }
    }

    private func present(_ key: String) throws(Problem) -> JSONValue? {
        guard let value = members[key] else { return nil }
        guard value == .null else { return value }
        guard nullable else { throw refusal(key, "cannot be null") }
        return nil
    }

    private func refusal(_ key: String, _ what: String) -> Problem {
        Problem.invalid("'\(path)\(key)' \(what)", field: path + key)
    }

    /// - Parameter most: the largest number of bytes in UTF-8.
    func string(_ key: String, most: Int, controls: Bool = false) throws(Problem) -> String? {
        guard let value = try present(key) else { return nil }
        guard let text = value.string else { throw refusal(key, "must be a string") }
        guard text.utf8.count <= most else { throw refusal(key, "is longer than \(most) bytes") }
        guard controls || !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) else {
            throw refusal(key, "contains a control character")
        }
        return text
    }

    func requiredString(_ key: String, most: Int, controls: Bool = false) throws(Problem) -> String {
        guard let text = try string(key, most: most, controls: controls) else { throw refusal(key, "is missing") }
        return text
    }

    func bool(_ key: String) throws(Problem) -> Bool? {
        guard let value = try present(key) else { return nil }
        guard let flag = value.bool else { throw refusal(key, "must be true or false") }
        return flag
    }

    func integer(_ key: String, in range: ClosedRange<Int>) throws(Problem) -> Int {
        guard let value = try present(key) else { throw refusal(key, "is missing") }
        guard let number = value.integer, range.contains(Int(number)) else {
            throw refusal(key, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return Int(number)
    }

    func number(_ key: String, in range: ClosedRange<Double>) throws(Problem) -> Double {
        let number: Double? =
            switch try present(key) {
            case .integer(let whole)?: Double(whole)
            case .number(let number)?: number
            case nil: throw refusal(key, "is missing")
            default: nil
            }
        guard let number, range.contains(number) else {
            throw refusal(key, "must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, of type: Choice.Type
    ) throws(Problem) -> Choice? where Choice.RawValue == String {
        guard let text = try string(key, most: 100) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw refusal(key, "is '\(text)', which is none of \(known)")
        }
        return choice
    }

    func sessionID(_ key: String) throws(Problem) -> SessionID? {
        guard let text = try string(key, most: 100) else { return nil }
        guard let id = SessionID(parsing: text) else { throw refusal(key, "is '\(text)', which is not a UUID") }
        return id
    }

    /// A duration string, or seconds as a number.
    func duration(_ key: String) throws(Problem) -> TimeSpan? {
        guard let value = try present(key) else { return nil }
        if let seconds = value.integer, seconds >= 0,
            UInt64(seconds) <= TimeSpan.longest.milliseconds / 1000
        {
            return .seconds(UInt64(seconds))
        }
        guard let text = value.string, let span = TimeSpan(parsing: text) else {
            throw refusal(key, "must be a duration such as \"90s\", \"20m\" or \"8h\"")
        }
        return span
    }

    /// A map of short strings.
    func strings(
        _ key: String, entries: Int, keyPattern: (String) -> Bool, keyRule: String, longest: Int
    ) throws(Problem) -> [String: String]? {
        guard let value = try present(key) else { return nil }
        guard case .object(let map) = value else { throw refusal(key, "must be an object of strings") }
        guard map.count <= entries else { throw refusal(key, "has more than \(entries) entries") }
        var result: [String: String] = [:]
        for (name, value) in map {
            guard keyPattern(name) else { throw refusal(key, "has the key '\(name.prefix(80))'; \(keyRule)") }
            guard let text = value.string, text.utf8.count <= longest, !text.utf8.contains(0) else {
                throw refusal(key, "needs a string of at most \(longest) bytes for '\(name)'")
            }
            result[name] = text
        }
        return result
    }

    /// A list of short strings.
    func texts(_ key: String, most: Int, longest: Int) throws(Problem) -> [String]? {
        guard let value = try present(key) else { return nil }
        guard let elements = value.array, elements.count <= most else {
            throw refusal(key, "must be a list of at most \(most) strings")
        }
        var texts: [String] = []
        for element in elements {
            guard let text = element.string, text.utf8.count <= longest else {
                throw refusal(key, "must be a list of strings of at most \(longest) bytes")
            }
            texts.append(text)
        }
        return texts
    }

    func fields(_ key: String, allowed: Set<String>) throws(Problem) -> BodyFields? {
        guard let value = try present(key) else { return nil }
        return try BodyFields(value, allowed: allowed, at: path + key, nullable: nullable)
    }
}
