import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1

/// What authentication and the Host and Origin checks need of a request, whether it goes to a route or is a
/// WebSocket upgrade.
struct CallerRequest: Sendable {
    var method: String
    /// Still percent-encoded.
    var path: String
    var query: Query
    /// Every value of `Host`; a proper request has one.
    var hosts: [String]
    var origin: String?
    var authorization: String?
    var cookies: [String]
    var isUpgrade: Bool
    /// Who counts as one for rate limits: the peer's address, `unix` for all of a Unix socket.
    var remote: String
    var overUnixSocket: Bool

    /// Longest request target accepted, in bytes.
    static let longestTarget = 8 * 1024

    /// The codec moves the first `Host` into the authority; any further one stays a field.
    private static let hostField = HTTPField.Name("Host")
}

extension CallerRequest {
    private static func split(_ target: String) throws(Problem) -> (path: String, query: Query) {
        guard target.utf8.count <= longestTarget else {
            throw Problem(414, "uri_too_long", "the request's target is longer than \(longestTarget) bytes")
        }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts.first ?? "/"), try Query(parsing: parts.count == 2 ? parts[1] : nil))
    }

    init(_ request: Request, channel: any Channel) throws(Problem) {
        (path, query) = try Self.split(request.head.path ?? "/")
        method = request.method.rawValue
        hosts = [request.head.authority].compactMap { $0 } + (Self.hostField.map { request.headers[values: $0] } ?? [])
        origin = request.headers[.origin]
        authorization = request.headers[.authorization]
        cookies = request.headers[values: .cookie]
        isUpgrade = false
        (remote, overUnixSocket) = Self.peer(of: channel)
    }

    init(_ head: HTTPRequestHead, channel: any Channel) throws(Problem) {
        (path, query) = try Self.split(head.uri)
        method = head.method.rawValue
        hosts = head.headers["host"]
        origin = head.headers.first(name: "origin")
        authorization = head.headers.first(name: "authorization")
        cookies = head.headers["cookie"]
        isUpgrade = true
        (remote, overUnixSocket) = Self.peer(of: channel)
    }

    private static func peer(of channel: any Channel) -> (String, Bool) {
        if case .unixDomainSocket = channel.localAddress { return ("unix", true) }
        return (channel.remoteAddress?.ipAddress ?? "unknown", false)
    }

    /// Requests that a foreign page must not be able to cause.
    var needsOrigin: Bool { isUpgrade || !["GET", "HEAD", "OPTIONS"].contains(method) }

    /// The value of one cookie; the first counts.
    func cookie(_ name: String) -> String? {
        for header in cookies {
            for pair in header.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if parts.count == 2, parts[0].trimmingPrefix(while: { $0 == " " }) == name { return String(parts[1]) }
            }
        }
        return nil
    }
}
