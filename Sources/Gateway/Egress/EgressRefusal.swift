import Foundation
import NIOCore
import Policy

/// Why a session may not connect: told to the tool, and to whoever follows the session's events.
struct EgressRefusal: Error, Sendable, Hashable {
    enum Reason: String, Sendable, Hashable, CaseIterable {
        case policy
        case method
        case badRequest = "bad_request"
        case unknownHost = "unknown_host"
        case lookup
        case privateAddress = "private_address"
        case notTLS = "not_tls"
        case serverName = "server_name"
        case connections
        case dailyBytes = "daily_bytes"
        case unreachable
        case unavailable
        case secret
        case noSession = "no_session"
    }

    var status: Int
    var reason: Reason
    /// As far as it was said.
    var target: String
    var detail: String

    static func policy(_ grant: EgressGrant, _ target: EgressDestination) -> EgressRefusal {
        if grant.egress.allows(target.host, port: target.port, method: nil), !grant.isOwn(target, method: nil) {
            return EgressRefusal(
                status: 403, reason: .policy, target: target.description,
                detail:
                    "this session was made with a list of hosts ('egress') that does not have \(target); make one without"
            )
        }
        let why = grant.egress.mode == .none ? "its egress is 'none'" : "its list of hosts does not have it"
        return EgressRefusal(
            status: 403, reason: .policy, target: target.description,
            detail:
                "the policy '\(grant.policy)' does not let this session connect to \(target): \(why). Ask whoever runs "
                + "this server to add '\(target)' to egress.allow of that policy")
    }

    static func method(_ grant: EgressGrant, _ target: EgressDestination, _ method: String) -> EgressRefusal {
        EgressRefusal(
            status: 403, reason: .method, target: target.description,
            detail:
                "the policy '\(grant.policy)' does not let this session send \(method.prefix(20)) to \(target). Ask "
                + "whoever runs this server to add the method to that host in egress.allow")
    }

    static func badRequest(_ what: String, target: String = "-", status: Int = 400) -> EgressRefusal {
        EgressRefusal(status: status, reason: .badRequest, target: String(target.prefix(200)), detail: what)
    }

    static func privateAddress(_ target: EgressDestination) -> EgressRefusal {
        EgressRefusal(
            status: 403, reason: .privateAddress, target: target.description,
            detail: "\(target) is on this machine or a network around it, which no policy lets a session reach")
    }

    static func unknownHost(_ target: EgressDestination) -> EgressRefusal {
        EgressRefusal(
            status: 502, reason: .unknownHost, target: target.description,
            detail: "the host \(target.host.text) is not known, or the names' server does not answer")
    }

    static func lookup(
        _ failure: NameLookups.Failure, within bounds: NameLookups.Bounds, _ target: EgressDestination
    ) -> EgressRefusal {
        let (host, seconds) = (target.host.text, bounds.patience.components.seconds)
        let (status, detail) =
            switch failure {
            case .slow, .cancelled:
                (504, "the names' server has not said within \(seconds) s where \(host) is; trying again may help")
            case .crowded(ofSession: true):
                (
                    429,
                    "this session has \(bounds.ofSession) names looked up that the names' server does not answer for, and "
                        + "\(host) has waited \(seconds) s for its turn; trying again later may help"
                )
            case .crowded(ofSession: false):
                (
                    503,
                    "\(bounds.together) names are looked up for sessions here, and \(host) has waited \(seconds) s for its "
                        + "turn; trying again may help"
                )
            }
        return EgressRefusal(status: status, reason: .lookup, target: target.description, detail: detail)
    }

    static func unreachable(_ target: EgressDestination) -> EgressRefusal {
        EgressRefusal(
            status: 502, reason: .unreachable, target: target.description,
            detail: "\(target) does not accept connections")
    }

    static func notTLS(_ grant: EgressGrant, _ target: EgressDestination) -> EgressRefusal {
        EgressRefusal(
            status: 403, reason: .notTLS, target: target.description,
            detail: "what was sent to \(target) is not TLS. Ask whoever runs this server for 'tcp \(target)' in "
                + "egress.allow of the policy '\(grant.policy)' if it must be something else")
    }

    static func serverName(_ name: String?, _ target: EgressDestination) -> EgressRefusal {
        EgressRefusal(
            status: 403, reason: .serverName, target: target.description,
            detail: "the TLS client on a connection to \(target) "
                + (name.map { "asked for the server '\($0.prefix(100))'" } ?? "did not say which server it asks for"))
    }

    static func connections(_ grant: EgressGrant, _ target: EgressDestination, ofTenant: Bool) -> EgressRefusal {
        let egress = grant.egress
        return EgressRefusal(
            status: 429, reason: .connections, target: target.description,
            detail: ofTenant
                ? "the tenant's sessions have \(egress.tenantConnections) connections already, as many as the policy "
                    + "'\(grant.policy)' allows them together"
                : "this session has \(egress.connections) connections already, as many as the policy '\(grant.policy)' "
                    + "allows")
    }

    static func dailyBytes(_ grant: EgressGrant, _ target: EgressDestination, ofTenant: Bool) -> EgressRefusal {
        let most = ofTenant ? grant.egress.tenantDaily : grant.egress.daily
        return EgressRefusal(
            status: 403, reason: .dailyBytes, target: target.description,
            detail: "\(ofTenant ? "the tenant's sessions have" : "this session has") sent and received the "
                + "\(most?.description ?? "bytes") that the policy '\(grant.policy)' allows for a day; there is more after "
                + "midnight UTC")
    }

    static func unavailable(_ target: EgressDestination) -> EgressRefusal {
        EgressRefusal(
            status: 503, reason: .unavailable, target: target.description,
            detail: "what this session has moved today cannot be looked up at the moment; trying again may help")
    }

    static func noSecret(_ grant: EgressGrant, _ target: EgressDestination) -> EgressRefusal {
        EgressRefusal(
            status: 403, reason: .secret, target: target.description,
            detail: "the policy '\(grant.policy)' has no secret for \(target): connect to it by CONNECT")
    }

    static func secret(
        _ name: String, _ fault: EgressSecretFault, _ grant: EgressGrant, _ target: EgressDestination
    ) -> EgressRefusal {
        let what = "the secret '\(name)', which the policy '\(grant.policy)' adds to requests to \(target),"
        let set = "Have an administrator of this session's tenant set it: rookery secret set \(name)"
        let (status, rest) =
            switch fault {
            case .notSet: (403, "is not set. \(set) --host \(target.host.text)")
            case .otherHost:
                (
                    403,
                    "may not go there: its own list of hosts does not have \(target.host.text). \(set), with "
                        + "a --host for each host that it is for"
                )
            case .unusable: (503, "cannot be used: the server's log says why")
            }
        return EgressRefusal(
            status: status, reason: .secret, target: target.description, detail: "\(what) \(rest)")
    }

    static let foreignWorker = EgressRefusal(
        status: 403, reason: .noSession, target: "-",
        detail: "the connection does not come from its session's own worker"
    )

    static let noSession = EgressRefusal(
        status: 403, reason: .noSession, target: "-", detail: "the session that asks is not known here, or does not run"
    )
}

extension EgressRefusal {
    /// The answer as it is sent, after which the connection ends.
    var answer: ByteBuffer {
        let body = "rookery: \(detail)\n"
        // Tools show the phrase of a refused CONNECT, hardly ever its body.
        let phrase = "rookery: \(detail)".unicodeScalars.filter { (0x20..<0x7f).contains($0.value) }.prefix(400)
        var text = "HTTP/1.1 \(status) \(String(String.UnicodeScalarView(phrase)))\r\n"
        text += "content-type: text/plain; charset=utf-8\r\ncontent-length: \(body.utf8.count)\r\n"
        text += "x-rookery-refused: \(reason.rawValue)\r\nconnection: close\r\n\r\n"
        return ByteBuffer(string: text + body)
    }

    /// What a TLS client that has its tunnel already can understand (RFC 8446, 6): a fatal alert.
    var alert: ByteBuffer {
        // unrecognized_name, access_denied
        ByteBuffer(bytes: [0x15, 3, 3, 0, 2, 2, reason == .serverName ? 112 : 49])
    }
}
