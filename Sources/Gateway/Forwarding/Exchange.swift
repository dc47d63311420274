import AsyncHTTPClient
import Foundation
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Carries one request upstream and its answer back, both as streams. Cancelled when the client goes away, which
/// cancels the request upstream.
struct Exchange: Sendable {
    /// As large as the real API takes, with room: a conversation with pictures.
    static let largestBody = 64 << 20

    let client: HTTPClient
    let upstream: UpstreamURL
    let apiKey: String?
    let logger: Logger

    typealias Outbound = NIOAsyncChannelOutboundWriter<HTTPResponsePart>

    /// Answers the request completely, or throws when the answer broke off and the connection must be closed.
    func run(_ head: HTTPRequest, _ body: RequestBody, _ outbound: Outbound) async throws {
        let start = ContinuousClock.now
        let bounded = BoundedBody(body: body, limit: Self.largestBody)
        let answer: HTTPClientResponse
        do {
            answer = try await ask(head, bounded)
        } catch {
            try Task.checkCancellation()
            let refusal: Refusal
            if let own = error as? Refusal {
                refusal = own
                // Read what is still coming: a client that cannot finish sending does not read an answer.
                for try await _ in bounded {}
            } else if error is BoundedBody.TooLarge {
                refusal = .tooLarge(Self.largestBody)
            } else {
                refusal = .unanswered(error, upstream: upstream)
                logger.warning(
                    "model request unanswered",
                    metadata: metadata(head, refusal.status, start, ["error": "\(Self.kind(of: error))"]))
            }
            try await refuse(refusal, head, outbound)
            // The body may not have been read to its end, so nothing more can come on this connection.
            if refusal.endsConnection { throw error }
            return
        }
        try await relay(answer, head, outbound)
        logger.debug("model request", metadata: metadata(head, Int(answer.status.code), start))
    }

    private func ask(_ head: HTTPRequest, _ body: BoundedBody) async throws -> HTTPClientResponse {
        let target = head.path ?? ""
        guard let path = ModelRoute.path(of: target), ModelRoute.allows(method: head.method.rawValue, path: path) else {
            throw Refusal.noRoute(head.method.rawValue, target)
        }
        guard let name = HTTPField.Name(HeaderFilter.session), let session = head.headerFields[name],
            UUID(uuidString: session) != nil
        else { throw Refusal.noSession }
        var request = HTTPClientRequest(url: upstream.base + target)
        request.method = HTTPMethod(rawValue: head.method.rawValue)
        request.headers = HeaderFilter.request(head.headerFields, apiKey: apiKey)
        if head.method == .post {
            let length = head.headerFields[.contentLength].flatMap { Int64($0) }
            if let length, length > Self.largestBody { throw BoundedBody.TooLarge() }
            request.body = .stream(body, length: length.map { .known($0) } ?? .unknown)
        }
        // No deadline for the whole: an answer may stream for an hour. The client's connect and read time-outs bound
        // each phase.
        return try await client.execute(request, deadline: .distantFuture)
    }

    private func relay(_ answer: HTTPClientResponse, _ head: HTTPRequest, _ outbound: Outbound) async throws {
        var fields = HeaderFilter.response(answer.headers)
        let bodiless = head.method == .head || [204, 304].contains(answer.status.code)
        if bodiless, answer.status.code != 204, fields[.contentLength] == nil { fields[.contentLength] = "0" }
        try await outbound.write(
            .head(
                HTTPResponse(
                    status: .init(code: Int(answer.status.code), reasonPhrase: answer.status.reasonPhrase),
                    headerFields: fields)))
        for try await part in answer.body where !bodiless { try await outbound.write(.body(part)) }
        try await outbound.write(.end(nil))
    }

    private func refuse(_ refusal: Refusal, _ head: HTTPRequest, _ outbound: Outbound) async throws {
        let body = refusal.body
        var fields: HTTPFields = [.contentType: "application/json", .contentLength: "\(body.readableBytes)"]
        if refusal.endsConnection { fields[.connection] = "close" }
        try await outbound.write(.head(HTTPResponse(status: .init(code: refusal.status), headerFields: fields)))
        if head.method != .head { try await outbound.write(.body(body)) }
        try await outbound.write(.end(nil))
    }

    private func metadata(
        _ head: HTTPRequest, _ status: Int, _ start: ContinuousClock.Instant, _ more: Logger.Metadata = [:]
    ) -> Logger.Metadata {
        let session = HTTPField.Name(HeaderFilter.session).flatMap { head.headerFields[$0] } ?? "-"
        return more.merging([
            "session": "\(session)", "method": "\(head.method)",
            "path": "\(ModelRoute.path(of: head.path ?? "") ?? "-")", "status": "\(status)",
            "ms": "\((ContinuousClock.now - start) / .milliseconds(1))",
        ]) { $1 }
    }

    /// What went wrong, without values from the request.
    private static func kind(of error: any Error) -> String {
        (error as? HTTPClientError)?.shortDescription ?? "\(error)"
    }
}
