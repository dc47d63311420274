import AsyncHTTPClient
import Foundation
import HTTPTypes
import NIOCore

/// An answer of the gateway's own, in the model API's error shape, so that Claude Code treats it as it treats the
/// API's own errors: 5xx are tried again, 4xx are not.
struct Refusal: Error, Equatable {
    var status: Int
    var type: String
    var message: String

    static func noRoute(_ method: String, _ target: String) -> Refusal {
        Refusal(
            status: 404, type: "not_found_error",
            message: "rookery: \(method) \(target.prefix(200)) is not part of the model API that a session may use")
    }

    static let noSession = Refusal(
        status: 403, type: "permission_error",
        message: "rookery: the request does not say which session it is from (\(HeaderFilter.session))")

    static func tooLarge(_ limit: Int) -> Refusal {
        Refusal(
            status: 413, type: "request_too_large",
            message: "rookery: the request is larger than \(limit >> 20) MiB")
    }

    /// What became of a request that upstream did not answer. The error's own text stays out: it may name headers.
    static func unanswered(_ error: any Error, upstream: UpstreamURL) -> Refusal {
        switch error as? HTTPClientError {
        case .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout:
            Refusal(
                status: 504, type: "api_error",
                message: "rookery: the model API at \(upstream) does not accept connections; trying again may help")
        case .readTimeout, .writeTimeout, .deadlineExceeded:
            Refusal(
                status: 504, type: "api_error",
                message: "rookery: the model API at \(upstream) did not answer in time; trying again may help")
        case .remoteConnectionClosed:
            Refusal(
                status: 502, type: "api_error",
                message: "rookery: the model API at \(upstream) closed the connection; trying again may help")
        default:
            Refusal(
                status: 502, type: "api_error",
                message: "rookery: the model API at \(upstream) cannot be reached; ask the operator to check "
                    + "--model-upstream and the network")
        }
    }

    /// Refused before or while the body came in, which may be left half read.
    var endsConnection: Bool { status >= 413 }

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
