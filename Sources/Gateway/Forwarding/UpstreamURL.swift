import Foundation

/// Where model requests go: `https://host[:port][/base]`, `http://…`, or `unix:/path` for a server on this box.
public struct UpstreamURL: Sendable, Hashable, CustomStringConvertible {
    /// As it was written.
    public let description: String
    /// The prefix of every request's URL, without a slash at its end.
    let base: String

    /// nil unless the text has one of the three forms, without user, query or fragment.
    public init?(parsing text: String) {
        description = text
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard path.hasPrefix("/"), path.utf8.count <= 107,
                let host = path.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
            else { return nil }
            base = "http+unix://\(host)"
            return
        }
        guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty,
            ["http", "https"].contains(parts.scheme), parts.user == nil, parts.password == nil, parts.query == nil,
            parts.fragment == nil
        else { return nil }
        base = String(text.reversed().drop { $0 == "/" }.reversed())
    }
}
