import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
import Registry
import Synchronization

/// Passes recordings of speech on to an OpenAI-compatible server, so that its key need not be in any browser
/// (seed-protocols 1.11).
struct TranscriptionProxy: Sendable {
    /// Bytes of a recording with what goes with it.
    static let largestRequest = 25 << 20
    static let largestAnswer = 1 << 20
    private static let patience = TimeAmount.seconds(60)

    let upstream: TranscriptionUpstream
    private let budget = TranscriptionBudget()

    init(_ upstream: TranscriptionUpstream) { self.upstream = upstream }

    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.timeout = .init(connect: .seconds(10))
        // The key is for the server that was named.
        configuration.redirectConfiguration = .disallow
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    func answer(_ call: Call) async throws -> Response {
        let type = call.request.headers[.contentType] ?? ""
        guard type.lowercased().hasPrefix("multipart/form-data;"), type.utf8.count <= 300 else {
            throw Problem(415, "unsupported_media_type", "a recording comes as multipart/form-data")
        }
        if let length = call.request.headers[.contentLength].flatMap(Int.init), length > Self.largestRequest {
            throw Self.tooLarge
        }
        try budget.take(for: call.authenticated().userID)
        defer { budget.giveBack() }
        let body: ByteBuffer
        do { body = try await call.request.body.collect(upTo: Self.largestRequest) } catch is NIOTooManyBytesError {
            throw Self.tooLarge
        } catch {
            throw Problem(400, "bad_request", "the body did not arrive whole", headers: ["connection": "close"])
        }
        return try await forward(body, type: type)
    }

    private func forward(_ body: ByteBuffer, type: String) async throws -> Response {
        var request = HTTPClientRequest(url: upstream.url)
        request.method = .POST
        request.headers = ["content-type": type]
        if let key = upstream.key { request.headers.add(name: "authorization", value: "Bearer \(key)") }
        request.body = .bytes(body)
        let status: UInt
        let answerType: String
        let answer: ByteBuffer
        do {
            let response = try await Self.http.execute(request, timeout: Self.patience)
            status = response.status.code
            answerType = response.headers.first(name: "content-type") ?? "application/json"
            answer = try await response.body.collect(upTo: Self.largestAnswer)
        } catch {
            throw Problem(502, "transcription_failed", "the transcription server does not answer")
        }
        guard (200..<300).contains(status) else {
            throw Problem(502, "transcription_failed", "the transcription server answered \(status)")
        }
        // Nothing that a browser would run.
        let isText = answerType.hasPrefix("text/plain")
        return Response(
            status: .ok,
            headers: [
                .contentType: isText ? "text/plain; charset=utf-8" : "application/json", .cacheControl: "no-store",
            ], body: ResponseBody(byteBuffer: answer))
    }

    private static let tooLarge = Problem(
        413, "too_large", "a recording has at most 25 MiB", headers: ["connection": "close"])
}

/// How much is transcribed at once, and for one user in a minute.
final class TranscriptionBudget: Sendable {
    static let mostAtOnce = 8
    static let mostEach = 30
    private static let window = Duration.seconds(60)

    private struct State {
        var running = 0
        var since = ContinuousClock.now
        var taken: [Int64: Int] = [:]
    }

    private let state = Mutex(State())

    /// Every call that does not throw is followed by ``giveBack()``.
    func take(for user: Int64, now: ContinuousClock.Instant = .now) throws(Problem) {
        let refusal: Problem? = state.withLock { state in
            if now - state.since >= Self.window {
                state.since = now
                state.taken = [:]
            }
            guard state.taken[user, default: 0] < Self.mostEach else {
                let wait = Int((Self.window - (now - state.since)).components.seconds) + 1
                return Problem(
                    429, "too_many", "at most \(Self.mostEach) recordings a minute; wait", retryAfter: max(1, wait))
            }
            guard state.running < Self.mostAtOnce else {
                return Problem(503, "unavailable", "too many recordings at once; try again", retryAfter: 1)
            }
            state.taken[user, default: 0] += 1
            state.running += 1
            return nil
        }
        if let refusal { throw refusal }
    }

    func giveBack() { state.withLock { $0.running -= 1 } }
}
