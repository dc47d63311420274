import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Registry
import SessionCore

/// What a handler may know of one request.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}

/// Who may call an endpoint.
enum Access: Sendable, Hashable {
    case anyone
    /// Authenticated, with at least this role.
    case role(Role)
}

/// One route: the single place that says its method, path and who may call it. The OpenAPI document is tested against
/// this table.
struct Endpoint: Sendable {
    let method: HTTPRequest.Method
    /// With `{name}` for a segment that varies.
    let path: String
    let access: Access
    /// Whether `?ticket=` is a credential here: event streams only.
    let acceptsTicket: Bool
    /// Whether whoever holds a share link may call it, as far as the link's role goes.
    let acceptsShare: Bool
    let handle: @Sendable (Call) async throws -> Response

    init(
        _ method: HTTPRequest.Method, _ path: String, _ access: Access, acceptsTicket: Bool = false,
        acceptsShare: Bool = false,
        handle: @escaping @Sendable (Call) async throws -> Response
    ) {
        self.method = method
        self.path = path
        self.access = access
        self.acceptsTicket = acceptsTicket
        self.acceptsShare = acceptsShare
        self.handle = handle
    }

    /// Whether a concrete path is one of this endpoint's.
    func matches(_ concrete: some StringProtocol) -> Bool {
        let pattern = path.split(separator: "/")
        let parts = concrete.split(separator: "/")
        return pattern.count == parts.count
            && zip(pattern, parts).allSatisfy { $0.hasPrefix("{") || $0.elementsEqual($1) }
    }
}

/// One request on its way to a handler.
struct Call: Sendable {
    /// Bytes of a request's body; more is 413.
    static let largestBody = 1 << 20

    let request: Request
    let context: APIContext
    let caller: CallerRequest
    /// nil only where ``Access/anyone`` may call.
    let principal: Principal?

    /// The caller of an endpoint that asks for a role.
    func authenticated() throws(Problem) -> Principal {
        guard let principal else { throw Problem(401, "unauthenticated", "this needs a token") }
        return principal
    }

    var query: Query { caller.query }

    func parameter(_ name: String) throws(Problem) -> String {
        guard let text = context.parameters.get(name), let decoded = text.removingPercentEncoding else {
            throw Problem(404, "not_found", "the path is not percent-encoded UTF-8")
        }
        return decoded
    }

    /// The session of the path. What is no UUID cannot be a session, so it is not found, like any other.
    func sessionID() throws(Problem) -> SessionID {
        let text = try parameter("id")
        guard let id = SessionID(parsing: text) else {
            throw Problem(404, "not_found", "'\(text.prefix(80))' is not a session id: that is a UUID")
        }
        return id
    }

    /// The body as JSON: 415 for another type, 400 with the place for what is not JSON, 413 for too much of it.
    /// - Parameter optional: an empty body is `{}`.
    func json(optional: Bool = false, most: Int = largestBody) async throws -> JSONValue {
        let body = try await body(most: most)
        if optional, body.readableBytes == 0 { return [:] }
        let type = request.headers[.contentType]?.split(separator: ";").first?.lowercased() ?? ""
        let media = type.trimmingPrefix(while: { $0 == " " })
        guard media == "application/json" || media.hasSuffix("+json") else {
            throw Problem(415, "unsupported_media_type", "the body must be JSON, with 'Content-Type: application/json'")
        }
        do {
            return try JSONReader.parse(body)
        } catch {
            throw Problem(
                400, "bad_json", "the body is not JSON: \(error.message) at line \(error.line), column \(error.column)",
                members: ["line": .integer(Int64(error.line)), "column": .integer(Int64(error.column))])
        }
    }

    /// The body as it is: 413 for too much of it.
    func body(most: Int) async throws -> ByteBuffer {
        let limit = "a body has at most \(most >> 20) MiB"
        if let length = request.headers[.contentLength].flatMap(Int.init), length > most {
            throw Problem(413, "too_large", "\(limit), this one \(length) bytes", headers: closing)
        }
        do {
            return try await request.body.collect(upTo: most)
        } catch is NIOTooManyBytesError {
            throw Problem(413, "too_large", limit, headers: closing)
        } catch is CancellationError {
            throw Problem(503, "unavailable", "the server is stopping", headers: closing)
        } catch {
            throw Problem(400, "bad_request", "the body did not arrive whole", headers: closing)
        }
    }

    private var closing: [String: String] { ["connection": "close"] }
}
