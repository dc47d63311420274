import Foundation

/// Where the server is: `http://host[:port]`, `https://…` or `unix:/path`.
struct ServerAddress: Equatable, CustomStringConvertible {
    enum Target: Equatable {
        case tcp(host: String, port: Int, tls: Bool)
        case unix(path: String)
    }

    var target: Target
    let description: String

    static let standard = "http://127.0.0.1:3000"

    /// nil when the text is none of the three forms.
    init?(parsing text: String) {
        description = text
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard path.hasPrefix("/"), path.utf8.count <= 107 else { return nil }
            target = .unix(path: path)
            return
        }
        guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty,
            ["http", "https"].contains(parts.scheme), ["", "/"].contains(parts.path), parts.user == nil,
            parts.query == nil
        else { return nil }
        let tls = parts.scheme == "https"
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        target = .tcp(host: bare, port: parts.port ?? (tls ? 443 : 80), tls: tls)
    }

    /// What a URL for AsyncHTTPClient starts with.
    var base: String {
        switch target {
        case .unix(let path):
            "http+unix://" + (path.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
        case .tcp(_, let port, let tls): "\(tls ? "https" : "http")://\(hostLiteral):\(port)"
        }
    }

    /// The `Host` header's value.
    var host: String {
        switch target {
        case .unix: "localhost"
        case .tcp(_, let port, _): "\(hostLiteral):\(port)"
        }
    }

    private var hostLiteral: String {
        guard case .tcp(let host, _, _) = target else { return "" }
        return host.contains(":") ? "[\(host)]" : host
    }
}
