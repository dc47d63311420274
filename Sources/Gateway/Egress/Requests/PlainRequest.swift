/// A request of HTTP as it goes on to its server: in origin form, with one Host that is the target's.
struct PlainRequest: Sendable {
    typealias Field = (name: String, value: Substring)

    var method: String
    var path: String
    var fields: [Field]
    var body: BodyFraming
    /// The gateway speaks TLS to the server, for the tool that spoke none to the gateway.
    var isSecured = false

    /// What belongs to one connection only (RFC 9110, 7.6.1), and what is written anew.
    private static let dropped: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade", "http2-settings", "host", "content-length",
    ]

    /// - Parameter secret: put in place of the sandbox's own.
    func head(for target: EgressDestination, adding secret: (header: String, value: String)? = nil) -> String {
        let named = Set(
            fields.filter { $0.name == "connection" }.flatMap { field in
                field.value.lowercased().split { $0 == "," || $0 == " " || $0 == "\t" }.map { String($0) }
            })
        let host = target.port == (isSecured ? 443 : 80) ? target.shownHost : target.description
        var head = "\(method) \(path) HTTP/1.1\r\nhost: \(host)\r\nconnection: close\r\n"
        for field in fields
        where !Self.dropped.contains(field.name) && !named.contains(field.name) && field.name != secret?.header {
            head += "\(field.name): \(field.value)\r\n"
        }
        if let secret { head += "\(secret.header): \(secret.value)\r\n" }
        switch body {
        // A POST without a body says so.
        case .none: if method.hasPrefix("P") { head += "content-length: 0\r\n" }
        case .length(let count): head += "content-length: \(count)\r\n"
        case .chunked: head += "transfer-encoding: chunked\r\n"
        }
        return head + "\r\n"
    }
}
