import Foundation
import NIOHTTP1
import SessionCore

/// How a person names a session: its id, the beginning of it, or its name.
enum SessionReference {
    /// One session of a list, as far as references go.
    struct Candidate: Equatable {
        var id: String
        var name: String?
    }

    /// The one session that a text means. A name counts before the beginning of an id, and a full id before both.
    ///
    /// - Throws: ``Failure/refused(_:)`` when none or several match.
    static func resolve(_ text: String, among candidates: [Candidate]) throws(Failure) -> String {
        let named = candidates.filter { $0.name == text }
        if let only = named.first, named.count == 1 { return only.id }
        let lower = text.lowercased()
        // Three characters at least, so that a slip of the finger hits nothing.
        let begun = named.isEmpty && lower.count >= 3 ? candidates.filter { $0.id.hasPrefix(lower) } : named
        if let only = begun.first, begun.count == 1 { return only.id }
        guard begun.isEmpty else {
            let list = begun.prefix(5).map { "\n  \($0.id)  \(printable($0.name ?? ""))" }.joined()
            throw .refused("'\(text)' means \(begun.count) sessions; give more of the id:\(list)")
        }
        throw .refused("there is no session '\(text)'; 'rookery ls' lists yours")
    }
}

extension ServerClient {
    /// The id that a reference means. A whole id is not asked for: the command itself will say if it is wrong.
    func sessionID(_ reference: String) async throws -> String {
        if let id = SessionID(parsing: reference) { return id.description }
        let candidates = try await sessions().compactMap { session -> SessionReference.Candidate? in
            guard let id = session["id"]?.string else { return nil }
            return .init(id: id, name: session["name"]?.string)
        }
        return try SessionReference.resolve(reference, among: candidates)
    }

    /// All sessions the caller may see, page after page.
    func sessions(query: [String: String] = [:]) async throws -> [JSONValue] {
        var items: [JSONValue] = []
        var cursor: String?
        repeat {
            var query = query
            query["limit"] = "200"
            query["cursor"] = cursor
            let page = try await send(.GET, "/v1/sessions" + queryString(query))
            items += page["items"]?.array ?? []
            cursor = page["next_cursor"]?.string
        } while cursor != nil && items.count < 100_000
        return items
    }
}

/// `?a=b&c=d`, or nothing.
func queryString(_ members: [String: String]) -> String {
    var components = URLComponents()
    components.queryItems = members.sorted { $0.key < $1.key }.map { URLQueryItem(name: $0.key, value: $0.value) }
    guard !members.isEmpty, let query = components.percentEncodedQuery else { return "" }
    // '+' is a plus to us and a space to some servers.
    return "?" + query.replacing("+", with: "%2B")
}
