import HTTPTypes
import NIOHTTP1

/// Which header fields cross the gateway.
enum HeaderFilter {
    /// The header in which a worker names its session; it goes no further.
    static let session = "x-rookery-session"

    /// What belongs to one connection only (RFC 9110, 7.6.1), and what is made anew on the other side.
    private static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "http2-settings", "expect", "host", "content-length",
    ]

    /// Credentials of the sandbox are placeholders; where it says it comes from is not to be believed.
    private static let untrusted: Set<String> = [
        "authorization", "x-api-key", "cookie", "cookie2", "forwarded", "via", "x-real-ip",
        // What is compressed cannot be counted.
        "accept-encoding",
    ]

    /// What a response may say. Whatever else is there (cookies, the organization, its limits and what is left of them,
    /// names of machines) is about the account, which is not the session's.
    private static let returned: Set<String> = [
        "content-type", "content-length", "content-encoding", "cache-control", "date", "retry-after", "retry-after-ms",
        "x-should-retry", "request-id",
    ]

    /// The fields of a sandbox's request that go upstream, and the real credential.
    static func request(_ fields: HTTPFields, grant: UpstreamGrant) -> HTTPHeaders {
        var headers = HTTPHeaders()
        let named = namedByConnection(fields[values: .connection])
        for field in fields {
            let name = field.name.canonicalName
            guard !hopByHop.contains(name), !untrusted.contains(name), !named.contains(name),
                !name.hasPrefix("x-rookery-"), !name.hasPrefix("x-forwarded-")
            else { continue }
            headers.add(name: field.name.rawName, value: field.value)
        }
        for (name, value) in grant.headers {
            // Features that the CLI asks for are kept beside the one that the credential needs.
            let features = name == "anthropic-beta" ? headers[canonicalForm: name].map(String.init) : []
            headers.replaceOrAdd(name: name, value: (features + [value]).joined(separator: ","))
        }
        return headers
    }

    /// The fields of upstream's response that go back.
    static func response(_ headers: HTTPHeaders) -> HTTPFields {
        var fields = HTTPFields()
        let named = namedByConnection(headers[canonicalForm: "connection"].map(String.init))
        for (name, value) in headers {
            let lower = name.lowercased()
            guard returned.contains(lower), !named.contains(lower), let name = HTTPField.Name(name) else { continue }
            fields.append(HTTPField(name: name, value: value))
        }
        return fields
    }

    private static func namedByConnection(_ values: [String]) -> Set<String> {
        Set(values.flatMap { $0.lowercased().split(separator: ",") }.map { $0.filter { $0 != " " } })
    }
}
