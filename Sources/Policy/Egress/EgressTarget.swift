/// A host, or several by a pattern, with ports and for plain HTTP with methods.
public struct EgressTarget: Sendable, Hashable {
    /// In lower case: `pypi.org`, or `*.debian.org`, which is every name below and not `debian.org` itself.
    public var host: String
    public var ports: Set<Int>
    /// Of plain HTTP; nil: all. What is inside of TLS nobody sees.
    public var methods: Set<String>?
    /// false: a tunnel may carry something else, such as SSH.
    public var tls: Bool

    public init(host: String, ports: Set<Int> = [443], methods: Set<String>? = nil, tls: Bool = true) {
        self.host = host
        self.ports = ports
        self.methods = methods
        self.tls = tls
    }

    /// Whether a text is a host or a pattern as they stand in policies.
    public static func isPattern(_ text: String) -> Bool {
        let name = text.hasPrefix("*.") ? String(text.dropFirst(2)) : text
        guard let host = EgressHost(name), host.text == name else { return false }
        // A pattern of a whole top-level domain is a mistake.
        return !text.hasPrefix("*.") || (!host.isAddress && name.contains("."))
    }

    /// - Parameter method: of plain HTTP; nil for a tunnel.
    public func matches(_ asked: EgressHost, port: Int, method: String?) -> Bool {
        guard ports.contains(port) else { return false }
        if let method, let methods, !methods.contains(method) { return false }
        guard host.hasPrefix("*.") else { return asked.text == host }
        return !asked.isAddress && asked.text.hasSuffix(host.dropFirst()) && asked.text.utf8.count > host.utf8.count - 1
    }
}

/// As its text.
extension EgressTarget: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let target = EgressTarget(parsing: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(text)' is not a host with ports")
        }
        self = target
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

extension EgressTarget {
    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    /// As policies write it: `pypi.org`, `deb.debian.org:80,443`, `GET,HEAD deb.debian.org:80`, `tcp git.example.com:22`.
    /// Methods hold for plain HTTP; after `tcp` a tunnel may carry what it likes. nil: not of that form.
    public init?(parsing text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(words.count), let place = words.last else { return nil }
        self.init(host: place)
        if words.count == 2 {
            if words[0] == "tcp" {
                tls = false
            } else {
                let named = words[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                guard Set(named).isSubset(of: Self.methods), Set(named).count == named.count else { return nil }
                methods = Set(named)
            }
        }
        var rest = Substring(place)
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            host = String(rest.dropFirst()[..<end])
            rest = rest[rest.index(after: end)...]
        } else {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            host = String(rest[..<end])
            rest = rest[end...]
        }
        guard Self.isPattern(host) else { return nil }
        guard !rest.isEmpty else { return }
        guard rest.hasPrefix(":") else { return nil }
        var found: Set<Int> = []
        for text in rest.dropFirst().split(separator: ",", omittingEmptySubsequences: false) {
            guard text.utf8.count <= 5, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(text),
                (1...65_535).contains(port), found.insert(port).inserted
            else { return nil }
        }
        ports = found
    }

    /// The form that ``init(parsing:)`` reads.
    public var text: String {
        var text = tls ? methods.map { $0.sorted().joined(separator: ",") + " " } ?? "" : "tcp "
        text += host.contains(":") ? "[\(host)]" : host
        return ports == [443] ? text : text + ":" + ports.sorted().map(String.init).joined(separator: ",")
    }
}
