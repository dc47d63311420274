import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// The routes of the Messages API that Claude Code uses.
final class ModelRoutes: Sendable {
    /// As large as the real API takes.
    static let largestBody = 32 << 20

    private let log: RequestLog?
    private let desk: TokenDesk?
    /// Names of requests are never used twice, by another run either: accounts rest on it.
    private let run = String(UInt32.random(in: 0...UInt32.max), radix: 36)
    private let state = Mutex(State())

    private struct State {
        var requests = 0
        /// How often each text was refused: `ERR status count` ends after its count.
        var refusals: [String: Int] = [:]
    }

    init(log: RequestLog?, desk: TokenDesk?) {
        self.log = log
        self.desk = desk
    }

    func respond(to original: Request) async -> Response {
        let number = state.withLock {
            $0.requests += 1
            return $0.requests
        }
        let id = "req_scripted_\(run)_\(number)"
        let path = Self.path(of: original)
        if let desk {
            if path == "/oauth/token" { return await token(original, desk, number: number, id: id) }
            let takes = desk.takes(original.headers[.authorization], isMessage: path == "/v1/messages")
            guard takes else {
                note(original, number, [("refused", .number(401))])
                return apiError(401, "the access token is not valid, or has expired", requestID: id)
            }
        }
        switch (original.method, path) {
        case (.post, "/v1/messages"), (.post, "/v1/messages/count_tokens"):
            var request = original
            guard let body = try? await request.collectBody(upTo: Self.largestBody) else {
                note(original, number, [])
                return apiError(413, "the body is larger than \(Self.largestBody) bytes", requestID: id)
            }
            if path.hasSuffix("count_tokens") {
                note(original, number, [("bytes", .number(body.readableBytes))])
                return json(#"{"input_tokens":\#(max(1, body.readableBytes / 4))}"#, requestID: id)
            }
            return await message(request, body, number: number, id: id)
        case (.get, "/v1/models"):
            note(original, number, [])
            return json(Self.models, requestID: id)
        case (.get, "/"), (.head, "/"):
            note(original, number, [])
            return json(original.method == .head ? "" : #"{"ok":true}"#, requestID: id)
        default:
            note(original, number, [])
            return apiError(404, "no such route: \(original.method) \(path)", requestID: id)
        }
    }

    private func token(_ original: Request, _ desk: TokenDesk, number: Int, id: String) async -> Response {
        var request = original
        let body = try? await request.collectBody(upTo: 64 << 10)
        let answer = body.flatMap { desk.trade(Data($0.readableBytesView)) }
        note(original, number, [("refused", .number(answer == nil ? 400 : 0))])
        guard let answer else { return apiError(400, "the refresh token is not taken", requestID: id) }
        return json(answer, requestID: id)
    }

    private func message(_ request: Request, _ body: ByteBuffer, number: Int, id: String) async -> Response {
        let model: ModelRequest
        do {
            model = try JSONDecoder().decode(ModelRequest.self, from: Data(body.readableBytesView))
        } catch {
            note(request, number, [("bytes", .number(body.readableBytes)), ("malformed", .flag(true))])
            return apiError(400, "the body is not a Messages API request: \(error)", requestID: id)
        }
        let plan = Script.plan(model)
        let refusal = refusal(of: plan)
        note(
            request, number,
            [
                ("bytes", .number(body.readableBytes)), ("model", .text(model.model ?? "")),
                ("stream", .flag(model.stream)), ("messages", .number(model.messages.count)),
                ("tools", .number(model.toolNames.count)), ("text", .text(String(plan.text.suffix(200)))),
                ("step", .number(plan.step)), ("refused", .number(refusal ?? 0)),
            ])
        let log = log
        do {
            if plan.ending == .hang || plan.pause > .zero, !model.stream || plan.ending == .hang || refusal != nil {
                // Answered late or never: leave as soon as the client does.
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    try await Task.sleep(for: plan.ending == .hang ? .seconds(86_400) : plan.pause)
                }
            }
        } catch {
            log?.write("client_gone", number: number)
            return Response(status: .serviceUnavailable, headers: [.connection: "close"])
        }
        if let refusal { return apiError(refusal, "scripted error \(refusal)", requestID: id) }
        guard model.stream else {
            log?.write("done", number: number)
            return json(completeMessage(plan, model: model.model ?? "scripted"), requestID: id)
        }
        var headers: HTTPFields = [
            .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache", .requestID: id,
        ]
        if AnswerStream.watches(plan) { headers[.connection] = "close" }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                var stream = AnswerStream(plan: plan, events: MessageEvents(model: model.model ?? "scripted"))
                do {
                    try await stream.run(request, &writer)
                    log?.write("done", number: number)
                } catch {
                    log?.write(error is AnswerStream.Cut ? "cut" : "client_gone", number: number)
                    throw error
                }
            })
    }

    /// The status to refuse with, if the script still says so for this text.
    private func refusal(of plan: ScriptedPlan) -> Int? {
        guard let refusal = plan.refusal else { return nil }
        guard let times = refusal.times else { return refusal.status }
        return state.withLock { state in
            let before = state.refusals[plan.text, default: 0]
            guard before < times else { return nil }
            // Bounded: a scripted model that runs for weeks forgets.
            if state.refusals.count > 1000 { state.refusals.removeAll() }
            state.refusals[plan.text] = before + 1
            return refusal.status
        }
    }

    private func note(_ request: Request, _ number: Int, _ members: [(String, RequestLog.Value)]) {
        guard let log else { return }
        var headers: [String: String] = [:]
        for field in request.headers {
            let secret = [.apiKey, .authorization, .cookie].contains(field.name)
            headers[field.name.canonicalName] = secret ? redacted(field.value) : field.value
        }
        log.write(
            "request", number: number,
            [
                ("method", .text(request.method.rawValue)), ("path", .text(request.head.path ?? "")),
                ("headers", .texts(headers)),
            ] + members)
    }

    /// The path without its query, also of an absolute-form target (a request through a proxy).
    private static func path(of request: Request) -> String {
        var target = request.head.path ?? "/"
        if target.hasPrefix("http://"), let slash = target.dropFirst(7).firstIndex(of: "/") {
            target = String(target[slash...])
        }
        return String(target.prefix { $0 != "?" })
    }

    private static let models =
        #"{"data":[{"type":"model","id":"claude-scripted-1","display_name":"Scripted model","#
        + #""created_at":"2026-01-01T00:00:00Z"}],"has_more":false,"first_id":"claude-scripted-1","#
        + #""last_id":"claude-scripted-1"}"#
}
