import AsyncHTTPClient
import Foundation
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Carries one request upstream and its answer back, as it comes. Cancelled when the client goes away, which cancels
/// the request upstream.
struct Exchange: Sendable {
    /// As large as the real API takes.
    static let largestBody = 32 << 20

    let clients: UpstreamClients
    let access: any ModelAccess
    let budget: any ModelBudget
    let meter: RequestMeter
    let bodies: BodyAllowance
    let bodyPolicy: any BodyPolicy
    let turnstile: Turnstile
    let health: UpstreamHealth
    let configuration: GatewayConfiguration
    let logger: Logger

    typealias Outbound = NIOAsyncChannelOutboundWriter<HTTPResponsePart>

    /// Answers the request completely, or throws when the answer broke off and the connection must be closed.
    /// - Parameters:
    ///   - peer: the process that sent it.
    ///   - loop: its connection's.
    func run(
        _ head: HTTPRequest, _ body: RequestBody, from peer: pid_t?, on loop: any EventLoop, _ outbound: Outbound
    ) async throws {
        let start = ContinuousClock.now
        let bounded = BoundedBody(body: body, limit: Self.largestBody)
        let call: ModelCall
        do throws(Refusal) {
            call = try ModelCall(head)
            try configuration.check(call, from: peer)
        } catch {
            // Read what is still coming: a client that cannot finish sending does not read an answer.
            for try await _ in bounded {}
            return try await refuse(error, head, outbound)
        }
        do {
            if let length = head.headerFields[.contentLength].flatMap({ Int64($0) }), length > Self.largestBody {
                throw BoundedBody.TooLarge()
            }
            let status = try await answer(call, bounded, on: loop, outbound)
            logger.debug("model request", metadata: metadata(head, status, start))
        } catch let error as BrokenOff {
            throw error.cause
        } catch {
            try Task.checkCancellation()
            let refusal: Refusal
            if let own = error as? Refusal {
                refusal = own
            } else if error is BoundedBody.TooLarge {
                refusal = .tooLarge(Self.largestBody)
            } else {
                refusal = .unanswered(error)
                logger.warning(
                    "model request unanswered",
                    metadata: metadata(head, refusal.status, start, ["error": "\(Self.kind(of: error))"]))
            }
            try await refuse(refusal, head, outbound)
            // The body may not have been read to its end, so nothing more can come on this connection.
            if refusal.endsConnection { throw error }
        }
    }

    /// An answer that was begun and cannot be ended.
    private struct BrokenOff: Error { var cause: any Error }

    /// - Returns: the answer's status.
    private func answer(
        _ call: ModelCall, _ body: BoundedBody, on loop: any EventLoop, _ outbound: Outbound
    ) async throws -> Int {
        let held = try await bodies.collect(body)
        let grant = try await access.grant(for: call.session)
        let account = RequestAccount(
            call.record, model: RequestedModel.find(in: held.bytes), meter: meter, on: loop, logger: logger)
        var place: FairShare.Ticket?
        defer { if let place { turnstile.leave(place) } }
        do {
            if call.isMessage {
                try await budget.admit(call.session)
                place = try await turnstile.enter(grant.tenant, call.session)
                account.open(held.bytes, kept: await bodyPolicy.bytesKept(of: call.session))
            }
            let client = clients.client(on: loop)
            let answer = try await ask(client, call, call.head.method == .post ? held.bytes : nil, grant)
            try await account.answered(answer)
            do {
                try await relay(answer, call, account, outbound)
            } catch {
                throw BrokenOff(cause: error)
            }
            return Int(answer.status.code)
        } catch {
            // Also when the client went away: what was used until then is used.
            await account.failed(error, wasCancelled: Task.isCancelled)
            throw error
        }
    }

    private func ask(
        _ client: HTTPClient, _ call: ModelCall, _ body: ByteBuffer?, _ grant: UpstreamGrant
    ) async throws -> HTTPClientResponse {
        let answer = try await send(client, call, body, grant)
        // Nothing was done yet, so it is safe to ask again, once.
        guard answer.status == .unauthorized, let better = await access.renewed(grant, for: call.session) else {
            return answer
        }
        _ = try? await answer.body.collect(upTo: 64 << 10)
        return try await send(client, call, body, better)
    }

    private func send(
        _ client: HTTPClient, _ call: ModelCall, _ body: ByteBuffer?, _ grant: UpstreamGrant
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: grant.upstream.base + call.target)
        request.method = HTTPMethod(rawValue: call.head.method.rawValue)
        request.headers = HeaderFilter.request(call.head.headerFields, grant: grant)
        request.body = body.map { .bytes($0) }
        try health.begin(grant.upstream)
        do {
            // No deadline for the whole: an answer may stream for an hour. The client's connect and read time-outs bound
            // each phase.
            let answer = try await client.execute(request, deadline: .distantFuture)
            health.answered(grant.upstream)
            return answer
        } catch {
            if Task.isCancelled { health.gaveUp(grant.upstream) } else { health.failed(grant.upstream) }
            throw error
        }
    }

    private func relay(
        _ answer: HTTPClientResponse, _ call: ModelCall, _ account: RequestAccount, _ outbound: Outbound
    ) async throws {
        var fields = HeaderFilter.response(answer.headers)
        let bodiless = call.head.method == .head || [204, 304].contains(answer.status.code)
        if bodiless, answer.status.code != 204, fields[.contentLength] == nil { fields[.contentLength] = "0" }
        try await outbound.write(
            .head(
                HTTPResponse(
                    status: .init(code: Int(answer.status.code), reasonPhrase: answer.status.reasonPhrase),
                    headerFields: fields)))
        for try await part in answer.body where !bodiless {
            if let ready = await account.passing(part) { try await outbound.write(.body(ready)) }
        }
        if let last = await account.finished() { try await outbound.write(.body(last)) }
        try await outbound.write(.end(nil))
    }

    private func refuse(_ refusal: Refusal, _ head: HTTPRequest, _ outbound: Outbound) async throws {
        let body = refusal.body
        var fields: HTTPFields = [.contentType: "application/json", .contentLength: "\(body.readableBytes)"]
        if refusal.endsConnection { fields[.connection] = "close" }
        if let seconds = refusal.retryAfter, let name = HTTPField.Name("retry-after") { fields[name] = "\(seconds)" }
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
        (error as? HTTPClientError)?.shortDescription ?? "\(type(of: error))"
    }
}
