import Foundation

/// The query of a request, decoded. The first of equal names counts; unknown names are ignored.
struct Query: Sendable {
    private(set) var items: [(name: String, value: String)] = []

    init() {}

    init(parsing text: (some StringProtocol)?) throws(Problem) {
        guard let text, !text.isEmpty else { return }
        for part in text.split(separator: "&", omittingEmptySubsequences: true) {
            guard items.count < 100 else { throw Problem(400, "bad_request", "the query has more than 100 items") }
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            items.append((try Self.decode(pair[0]), pair.count == 2 ? try Self.decode(pair[1]) : ""))
        }
    }

    private static func decode(_ text: some StringProtocol) throws(Problem) -> String {
        guard let decoded = text.replacingOccurrences(of: "+", with: " ").removingPercentEncoding else {
            throw Problem(400, "bad_request", "the query is not percent-encoded UTF-8")
        }
        return decoded
    }

    subscript(name: String) -> String? { items.first { $0.name == name }?.value }

    func bool(_ name: String) throws(Problem) -> Bool {
        switch self[name] {
        case nil, "false", "0": return false
        case "", "true", "1": return true
        default: throw Problem.invalid("the query's '\(name)' must be true or false", field: name)
        }
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, of type: Choice.Type
    ) throws(Problem) -> Choice? where Choice.RawValue == String {
        guard let text = self[name] else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem.invalid("the query's '\(name)' must be one of \(known)", field: name)
        }
        return choice
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = self[name] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw Problem.invalid(
                "the query's '\(name)' must be a whole number from \(range.lowerBound) to \(range.upperBound)",
                field: name)
        }
        return number
    }

    /// A long-lived secret in a URL ends up in logs, histories and Referer headers: refused, whatever it is for.
    func refuseTokens() throws(Problem) {
        let names: Set = ["token", "access_token", "api_key", "bearer", "authorization"]
        for item in items
        where names.contains(item.name.lowercased()) || item.value.hasPrefix("rk_")
            || item.value.hasPrefix(ShareLink.prefix)
        {
            throw Problem(
                400, "token_in_url",
                "a token in a URL is refused, because URLs are logged; send 'Authorization: Bearer', or get a ticket "
                    + "from POST /v1/tickets and use ?ticket=; consider this token disclosed and replace it")
        }
    }
}
