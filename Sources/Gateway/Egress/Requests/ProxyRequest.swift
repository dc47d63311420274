/// What a tool asks of the proxy, read from the head of its request byte by byte: two readers could understand none of
/// what is accepted here differently.
struct ProxyRequest: Sendable {
    enum Kind: Sendable {
        /// CONNECT.
        case tunnel
        /// Plain HTTP in absolute form (RFC 9112, 3.2.2), or `/egress/host/path`, for which the gateway speaks TLS.
        case plain(PlainRequest)
    }

    var target: EgressDestination
    var kind: Kind

    /// A head of more is refused.
    static let longestHead = 32 << 10
    private static let mostFields = 128

    private typealias Field = PlainRequest.Field

    /// - Parameter head: up to and with the empty line.
    /// - Throws: a refusal that says what is wrong.
    init(head: some Collection<UInt8>) throws(EgressRefusal) {
        var lines = try Self.lines(head)[...]
        let words = (lines.popFirst() ?? "").split(separator: " ", omittingEmptySubsequences: false).map { String($0) }
        guard words.count == 3, ["HTTP/1.1", "HTTP/1.0"].contains(words[2]) else {
            throw .badRequest("the request's first line is not 'METHOD target HTTP/1.1'")
        }
        guard lines.count <= Self.mostFields else {
            throw .badRequest("the request has more than \(Self.mostFields) header fields", status: 431)
        }
        // A URL may hold a password.
        let shown = words[0] == "CONNECT" ? words[1] : "-"
        let fields = try Self.fields(lines)
        guard fields.count(where: { $0.name == "host" }) <= 1 else {
            throw .badRequest("the request has more than one Host", target: shown)
        }
        let body = try Self.framing(fields, isOld: words[2] == "HTTP/1.0", shown)
        if words[0] == "CONNECT" {
            guard let target = EgressDestination(authority: words[1]) else {
                throw .badRequest(
                    "'\(words[1].prefix(200))' is not host:port: the proxy takes names, and addresses in their usual form",
                    target: shown)
            }
            guard body == .none else { throw .badRequest("a CONNECT has no body", target: shown) }
            self.target = target
            kind = .tunnel
        } else {
            let method = words[0]
            guard Self.methods.contains(method) else {
                throw .badRequest(
                    "the proxy does not know the method '\(method.prefix(20))'", target: shown, status: 405)
            }
            let isSecured = words[1].hasPrefix(Self.securedPath)
            let (target, path) = try isSecured ? Self.secured(words[1]) : Self.absolute(words[1])
            self.target = target
            kind = .plain(
                PlainRequest(method: method, path: path, fields: fields, body: body, isSecured: isSecured))
        }
    }

    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    /// The lines without their ends. Every end is CR LF, and there is no other control character, so that no reader can
    /// see a line more or less than another.
    private static func lines(_ head: some Collection<UInt8>) throws(EgressRefusal) -> [String] {
        let malformed = EgressRefusal.badRequest(
            "the request's head has characters that are not ASCII, or lines that do not end with CR LF")
        var lines: [String] = []
        for line in head.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            let isEnd = line.isEmpty && line.endIndex == head.endIndex
            guard !isEnd else { break }
            let text = line.dropLast()
            guard line.count > text.count, line.suffix(1).elementsEqual([UInt8(ascii: "\r")]),
                text.allSatisfy({ (0x20..<0x7f).contains($0) || $0 == 0x09 })
            else { throw malformed }
            lines.append(String(decoding: text, as: UTF8.self))
        }
        guard lines.count >= 2, lines.removeLast().isEmpty, !lines.contains("") else { throw malformed }
        return lines
    }

    private static func fields(_ lines: ArraySlice<String>) throws(EgressRefusal) -> [Field] {
        var fields: [Field] = []
        for line in lines {
            // No name, space before the colon, and folded lines all fail here.
            guard let colon = line.firstIndex(of: ":"), case let name = line[..<colon], !name.isEmpty,
                name.utf8.allSatisfy(isTokenByte)
            else { throw .badRequest("a line of the request's head is not 'name: value'") }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            let end = value.lastIndex { $0 != " " && $0 != "\t" }.map { value.index(after: $0) } ?? value.startIndex
            fields.append((name.lowercased(), value[..<end]))
        }
        return fields
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func framing(
        _ fields: [Field], isOld: Bool, _ target: String
    ) throws(EgressRefusal) -> BodyFraming {
        let lengths = fields.filter { $0.name == "content-length" }
        let codings = fields.filter { $0.name == "transfer-encoding" }
        if let coding = codings.first {
            guard codings.count == 1, lengths.isEmpty, !isOld, coding.value.lowercased() == "chunked" else {
                throw .badRequest(
                    "the length of the request's body is said twice, or in a way the proxy does not take",
                    target: target)
            }
            return .chunked
        }
        guard let length = lengths.first else { return .none }
        guard lengths.count == 1, (1...18).contains(length.value.utf8.count),
            length.value.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int64(length.value)
        else { throw .badRequest("the request's Content-Length is not one number", target: target) }
        return count == 0 ? .none : .length(count)
    }

    private static func absolute(_ uri: String) throws(EgressRefusal) -> (EgressDestination, path: String) {
        let scheme = "http://"
        guard uri.prefix(scheme.count).lowercased() == scheme, uri.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            !uri.contains("#")
        else {
            throw .badRequest(
                "the proxy takes http://host/path, and CONNECT host:port for everything else")
        }
        let rest = uri.dropFirst(scheme.count)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        guard let target = EgressDestination(authority: rest[..<end], defaultPort: 80) else {
            // Without the password that may stand before it.
            let host = rest[..<end].split(separator: "@").last ?? "-"
            throw .badRequest(
                "'\(host.prefix(200))' is not a host, or has a user's name before it: the proxy takes names, and addresses "
                    + "in their usual form", target: String(host))
        }
        let path = String(rest[end...])
        return (target, path.hasPrefix("/") ? path : "/" + path)
    }

    /// Where tools find hosts to which the gateway adds secrets.
    static let securedPath = "/egress/"

    private static func secured(_ path: String) throws(EgressRefusal) -> (EgressDestination, path: String) {
        let rest = path.dropFirst(securedPath.count)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !path.contains("#"),
            let target = EgressDestination(authority: rest[..<end], defaultPort: 443)
        else { throw .badRequest("'\(path.prefix(200))' is not /egress/host/path") }
        return (target, rest[end...].hasPrefix("/") ? String(rest[end...]) : "/" + rest[end...])
    }
}
