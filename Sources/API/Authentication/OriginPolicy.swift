import Foundation

/// Which names this server goes by, and which pages may make it act.
///
/// Against DNS rebinding: a page of evil.example whose name suddenly resolves to 127.0.0.1 still sends
/// `Host: evil.example`. Against cross-site requests: a browser names the page's origin in every request that
/// changes something and in every WebSocket upgrade.
struct OriginPolicy: Sendable {
    private let names: Set<String>
    private let anyAddress: Bool
    private let origins: Set<String>

    init(listeners: [APIListener], allowedHosts: [String], allowedOrigins: [String]) {
        var names: Set<String> = ["localhost", "127.0.0.1", "::1"]
        var anyAddress = false
        for case .tcp(let host, _) in listeners {
            // A wildcard listener is every address of the box, and an address cannot be rebound: only names can.
            if host == "0.0.0.0" || host == "::" { anyAddress = true } else { names.insert(host.lowercased()) }
        }
        names.formUnion(allowedHosts.map { $0.lowercased() })
        self.names = names
        self.anyAddress = anyAddress
        self.origins = Set(allowedOrigins.map { $0.lowercased() })
    }

    /// Refuses a request for a name that is not ours. A Unix socket is out of any browser's reach.
    func checkHost(_ request: CallerRequest) throws(Problem) {
        if request.overUnixSocket { return }
        guard let host = request.hosts.first, request.hosts.count == 1, let name = Authority(host)?.name else {
            throw Problem(400, "bad_host", "the request needs one Host header that names this server")
        }
        if names.contains(name) || isLoopback(name) || anyAddress && isAddress(name) { return }
        throw Problem(
            421, "host_not_allowed",
            "'\(name.prefix(100))' is not a name of this server; connect by its address, or name it with "
                + "--allowed-host")
    }

    /// Refuses what a page of another origin caused.
    /// - Parameter required: with a cookie, a missing Origin counts as foreign; without credentials it is a caller
    ///   that is no browser.
    func checkOrigin(_ request: CallerRequest, required: Bool) throws(Problem) {
        guard request.needsOrigin else { return }
        guard let origin = request.origin?.lowercased() else {
            if required {
                throw Problem(
                    403, "origin_missing", "a cookie counts only with an Origin header; scripts send a bearer token")
            }
            return
        }
        if origins.contains(origin) { return }
        if let separator = origin.range(of: "://"), let host = request.hosts.first,
            let scheme = defaultPort(of: origin[..<separator.lowerBound]),
            let page = Authority(String(origin[separator.upperBound...])), let here = Authority(host),
            page.name == here.name, (page.port ?? scheme) == (here.port ?? scheme)
        {
            return
        }
        throw Problem(403, "origin_not_allowed", "the origin '\(origin.prefix(100))' may not use this server")
    }

    private func defaultPort(of scheme: Substring) -> Int? {
        switch scheme {
        case "http": 80
        case "https": 443
        default: nil
        }
    }
}

/// `name[:port]`, the name in lower case and an IPv6 address without its brackets.
private struct Authority {
    var name: String
    var port: Int?

    init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= 300 else { return nil }
        let lowered = text.lowercased()
        let rest: Substring
        if lowered.hasPrefix("[") {
            guard let end = lowered.firstIndex(of: "]") else { return nil }
            name = String(lowered[lowered.index(after: lowered.startIndex)..<end])
            rest = lowered[lowered.index(after: end)...]
        } else {
            let end = lowered.firstIndex(of: ":") ?? lowered.endIndex
            name = String(lowered[..<end])
            rest = lowered[end...]
        }
        guard !name.isEmpty else { return nil }
        guard !rest.isEmpty else { return }
        guard rest.hasPrefix(":"), let port = Int(rest.dropFirst()), (1...65535).contains(port) else { return nil }
        self.port = port
    }
}
