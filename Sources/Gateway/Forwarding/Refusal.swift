import AsyncHTTPClient
import Foundation
import HTTPTypes
import NIOCore

/// An answer of the gateway's own, in the model API's error shape, so that Claude Code treats it as it treats the
/// API's own errors: 5xx are tried again, 4xx are not.
public struct Refusal: Error, Equatable {
    public var status: Int
    public var type: String
    public var message: String
    /// Seconds after which the same request may do better.
    public var retryAfter: Int?

    public init(status: Int, type: String, message: String, retryAfter: Int? = nil) {
        self.status = status
        self.type = type
        self.message = message
        self.retryAfter = retryAfter
    }

    static func noRoute(_ method: String, _ target: String) -> Refusal {
        Refusal(
            status: 404, type: "not_found_error",
            message: "rookery: \(method) \(target.prefix(200)) is not part of the model API that a session may use")
    }

    static let noSession = Refusal(
        status: 403, type: "permission_error",
        message: "rookery: the request does not say which session it is from (\(HeaderFilter.session))")

    public static func unknown(_ session: UUID) -> Refusal {
        Refusal(
            status: 403, type: "permission_error",
            message: "rookery: there is no session \(session.uuidString.lowercased())")
    }

    static let busy = Refusal(
        status: 529, type: "overloaded_error",
        message: "rookery: the gateway holds too many large requests at the moment; the request can be sent again",
        retryAfter: 2)

    /// Its turn has not come: others of the same tenant, or of all, ask as much as may be asked.
    static let crowded = Refusal(
        status: 429, type: "rate_limit_error",
        message: "rookery: your tenant asks as much at once, or in a minute, as it may; the request can be sent again",
        retryAfter: 5)

    /// Upstream has not answered for a while.
    static func resting(seconds: Int) -> Refusal {
        Refusal(
            status: 529, type: "overloaded_error",
            message:
                "rookery: the model API has not answered lately and is not asked for \(max(1, seconds)) s; the request "
                + "can be sent again then",
            retryAfter: max(1, seconds))
    }

    /// What is not written down is not served.
    public static let uncounted = Refusal(
        status: 529, type: "overloaded_error",
        message: "rookery: what requests use cannot be written down at the moment; ask the operator to look at the log",
        retryAfter: 5)

    /// There is a credential and it cannot be used.
    public static let locked = Refusal(
        status: 401, type: "authentication_error",
        message: "rookery: the credential for the model API cannot be opened; ask the administrator to set it again")

    /// Not the placeholder of the session that the request comes from.
    static let wrongPlaceholder = Refusal(
        status: 401, type: "authentication_error",
        message: "rookery: the request does not carry this session's own placeholder (ANTHROPIC_AUTH_TOKEN)")

    /// Another session's worker asks, or nobody's.
    static let foreignWorker = Refusal(
        status: 403, type: "permission_error",
        message: "rookery: the request does not come from its session's own worker")

    static func unreadable(_ coding: String) -> Refusal {
        Refusal(
            status: 502, type: "api_error",
            message:
                "rookery: the model API compressed its answer (\(coding.prefix(20))) though it was asked not to, so "
                + "that what it used cannot be counted")
    }

    static func tooLarge(_ limit: Int) -> Refusal {
        Refusal(
            status: 413, type: "request_too_large",
            message: "rookery: the request is larger than \(limit >> 20) MiB")
    }

    /// What became of a request that upstream did not answer. The error's own text stays out: it may name headers.
    static func unanswered(_ error: any Error) -> Refusal {
        switch error as? HTTPClientError {
        case .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout:
            Refusal(
                status: 504, type: "api_error",
                message: "rookery: the model API does not accept connections; trying again may help")
        case .readTimeout, .writeTimeout, .deadlineExceeded:
            Refusal(
                status: 504, type: "api_error",
                message: "rookery: the model API did not answer in time; trying again may help")
        case .remoteConnectionClosed:
            Refusal(
                status: 502, type: "api_error",
                message: "rookery: the model API closed the connection; trying again may help")
        default:
            Refusal(
                status: 502, type: "api_error",
                message: "rookery: the model API cannot be reached; ask the operator to check where it is configured "
                    + "to be, and the network")
        }
    }

    /// Refused before or while the body came in, which may be left half read.
    var endsConnection: Bool { status == 413 || self == .busy }

    var body: ByteBuffer {
        struct Document: Encodable {
            struct Inner: Encodable { var type, message: String }
            var type = "error"
            var error: Inner
        }
        let document = Document(error: .init(type: type, message: message))
        return ByteBuffer(bytes: (try? JSONEncoder().encode(document)) ?? Data())
    }
}
