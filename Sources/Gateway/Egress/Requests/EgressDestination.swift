import Policy

/// Where a request of the proxy wants to go.
struct EgressDestination: Sendable, Hashable, CustomStringConvertible {
    var host: EgressHost
    var port: Int

    /// `host:port` or `[address]:port`, as CONNECT has it.
    init?(authority: some StringProtocol, defaultPort: Int? = nil) {
        guard authority.utf8.count <= 300, authority.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            !authority.contains("@")
        else { return nil }
        var name = Substring(authority)
        var port = defaultPort
        if name.hasPrefix("[") {
            guard let end = name.firstIndex(of: "]") else { return nil }
            let rest = name[name.index(after: end)...]
            name = name[name.index(after: name.startIndex)..<end]
            guard name.contains(":"), rest.isEmpty || rest.hasPrefix(":") else { return nil }
            if !rest.isEmpty {
                guard let number = Self.port(rest.dropFirst()) else { return nil }
                port = number
            }
        } else if let colon = name.firstIndex(of: ":") {
            guard let number = Self.port(name[name.index(after: colon)...]) else { return nil }
            name = name[..<colon]
            port = number
        }
        guard let port, let host = EgressHost(String(name)) else { return nil }
        self.host = host
        self.port = port
    }

    private static func port(_ text: Substring) -> Int? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(text), (1...65_535).contains(number)
        else { return nil }
        return number
    }

    /// As it stands in a URL.
    var shownHost: String { host.text.contains(":") ? "[\(host.text)]" : host.text }

    var description: String { "\(shownHost):\(port)" }
}
