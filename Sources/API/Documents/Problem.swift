import Foundation
import SessionCore
import Supervisor
import WorkerControl

/// Why a request was refused, as `application/problem+json` (RFC 9457) shows it. Thrown by every part of the API;
/// becomes a response in one place.
struct Problem: Error, Sendable, Hashable {
    var status: Int
    /// Stable and machine-readable.
    var code: String
    /// What happened, to what, and what to do.
    var detail: String
    /// Seconds, for `Retry-After`.
    var retryAfter: Int?
    /// Members beyond the standard ones.
    var members: [String: JSONValue]
    /// Headers that belong to the refusal, such as `Allow`.
    var headers: [String: String]

    init(
        _ status: Int, _ code: String, _ detail: String, retryAfter: Int? = nil, members: [String: JSONValue] = [:],
        headers: [String: String] = [:]
    ) {
        self.status = status
        self.code = code
        self.detail = detail
        self.retryAfter = retryAfter
        self.members = members
        self.headers = headers
    }

    static let mediaType = "application/problem+json"

    /// The document. `type` is a URN made of the code: nothing to fetch, and as stable as the code.
    var document: JSONValue {
        var all = members
        all["type"] = .string("urn:rookery:problem:\(code)")
        all["title"] = .string(Self.titles[status] ?? "Error")
        all["status"] = .integer(Int64(status))
        all["detail"] = .string(detail)
        all["code"] = .string(code)
        if let retryAfter { all["retry_after"] = .integer(Int64(retryAfter)) }
        return .object(all)
    }

    var body: Data { (try? JSONEncoder.rookery.encode(document)) ?? Data("{}".utf8) }

    /// Every header of the response but the general ones.
    var allHeaders: [(String, String)] {
        var all = [("content-type", Self.mediaType), ("cache-control", "no-store")]
        all += headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        if let retryAfter { all.append(("retry-after", String(retryAfter))) }
        if status == 401 { all.append(("www-authenticate", "Bearer realm=\"rookery\"")) }
        return all
    }

    /// The standard reason phrases of the statuses in use (RFC 9110).
    private static let titles: [Int: String] = [
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
        409: "Conflict", 413: "Content Too Large", 414: "URI Too Long", 415: "Unsupported Media Type",
        421: "Misdirected Request", 422: "Unprocessable Content", 426: "Upgrade Required", 429: "Too Many Requests",
        431: "Request Header Fields Too Large", 500: "Internal Server Error", 502: "Bad Gateway",
        503: "Service Unavailable",
        504: "Gateway Timeout", 507: "Insufficient Storage",
    ]
}

extension Problem {
    init(_ error: SupervisorError) {
        let status =
            switch error.code {
            case .notFound: 404
            case .forbidden: 403
            case .invalid: 422
            case .exists, .wrongState: 409
            case .full, .launchFailed, .unavailable: 503
            case .unresponsive: 504
            case .storage: 507
            }
        self.init(status, error.code.rawValue, error.detail, retryAfter: error.retryAfterSeconds)
        if error.code == .full, retryAfter == nil { retryAfter = 10 }
        if let failure = error.launchFailure {
            members["step"] = .string(failure.step)
            members["errno"] = .integer(Int64(failure.errno))
            members["remedy"] = .string(failure.remedy)
            members["message"] = .string(failure.message)
        }
    }

    /// Any error: what is not known here is a fault of ours, and its text stays in the log.
    init(any error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as SupervisorError: self.init(error)
        default: self.init(500, "internal", "the server failed; the log has more under this request's id")
        }
    }

    static func notFound(_ what: String) -> Problem { Problem(404, "not_found", "\(what) does not exist") }
    static func invalid(_ detail: String, field: String) -> Problem {
        Problem(422, "invalid", detail, members: ["field": .string(field)])
    }
}
