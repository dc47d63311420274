import NIOHTTP1
import SessionCore

/// What of a message's headers may pass a proxy (RFC 9110, 7.6.1), and what may not come from a tenant.
enum HeaderHygiene {
    private static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade", "expect",
    ]
    /// Who a request belongs to, set here and believed by the gateway.
    static let sessionHeader = "x-rookery-session"

    /// Request headers for the gateway: none that only the hop before meant, none that claims to be ours.
    static func forwarded(_ headers: HTTPHeaders, from session: SessionID) -> HTTPHeaders {
        var clean = endToEnd(headers) { !$0.hasPrefix("x-rookery-") }
        if headers.contains(name: "transfer-encoding") { clean.remove(name: "content-length") }
        clean.add(name: sessionHeader, value: session.description)
        return clean
    }

    /// Response headers for the sandbox.
    static func returned(_ headers: HTTPHeaders) -> HTTPHeaders { endToEnd(headers) { _ in true } }

    private static func endToEnd(_ headers: HTTPHeaders, keep: (String) -> Bool) -> HTTPHeaders {
        let named = Set(headers[canonicalForm: "connection"].map { $0.lowercased() })
        var clean = HTTPHeaders()
        for (name, value) in headers {
            let lower = name.lowercased()
            guard !hopByHop.contains(lower), !named.contains(lower), keep(lower) else { continue }
            clean.add(name: name, value: value)
        }
        return clean
    }
}
