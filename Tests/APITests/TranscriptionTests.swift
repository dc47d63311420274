import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Registry
import ServiceLifecycle
import Testing

@testable import API

/// Speech on its way to another server (seed-protocols 1.11).
@Suite(.timeLimit(.minutes(2))) struct TranscriptionTests {
    /// A server that says what it was sent.
    private func withUpstream(_ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        let router = Router()
        router.post("/v1/audio/transcriptions") { request, _ -> Response in
            let text = String(buffer: try await request.body.collect(upTo: 1 << 20))
            let key = request.headers[.authorization] ?? "none"
            guard !text.contains("fail") else { return Response(status: .unauthorized) }
            return Response(
                status: .ok, headers: [.contentType: "text/html"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: "\(key) \(text)")))
        }
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let upstream = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) }, logger: .silent)
        let group = ServiceGroup(configuration: .init(services: [upstream], logger: .silent))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await port in ports {
                try await body(port)
                break
            }
            await group.triggerGracefulShutdown()
        }
    }

    private func transcribe(
        _ url: String?, _ body: String, type: String = "multipart/form-data; boundary=x", role: Role = .user
    ) async throws -> (status: Int, type: String, text: String) {
        var configuration = APIConfiguration(
            listeners: [.tcp(host: "127.0.0.1", port: 0)], authentication: .token)
        configuration.transcription = url.map { TranscriptionUpstream(url: $0, key: "sk-speech") }
        let server = try APIServer(
            configuration, sessions: FakeSessions(), tokens: FakeTokens(), usage: FakeUsage(),
            credentials: FakeCredentials(), budgets: FakeBudgets(), logger: .silent)
        return try await server.application.test(.router) { client in
            let answer = try await client.executeRequest(
                uri: "/v1/audio/transcriptions", method: .post,
                headers: [.authorization: "Bearer \(FakeTokens.token(role))", .contentType: type],
                body: ByteBuffer(string: body))
            return (answer.status.code, answer.headers[.contentType] ?? "", String(buffer: answer.body))
        }
    }

    @Test func aRecordingGoesOnWithTheServersKeyAndNothingElse() async throws {
        try await withUpstream { port in
            let url = "http://127.0.0.1:\(port)/v1/audio/transcriptions"
            let answer = try await transcribe(url, "speech")
            #expect(answer.status == 200)
            #expect(answer.text == "Bearer sk-speech speech")
            #expect(answer.type == "application/json", "never what a browser would run")
            #expect(try await transcribe(url, "fail").status == 502)
            #expect(try await transcribe(url, "{}", type: "application/json").status == 415)
            #expect(try await transcribe(url, "speech", role: .viewer).status == 403)
        }
        #expect(try await transcribe(nil, "speech").status == 404)
        #expect(try await transcribe("http://127.0.0.1:1/", "speech").status == 502)
    }

    @Test func oneUsersRecordingsAndAllAtOnceAreBounded() throws {
        let budget = TranscriptionBudget()
        let now = ContinuousClock.now
        for _ in 0..<TranscriptionBudget.mostEach {
            try budget.take(for: 1, now: now)
            budget.giveBack()
        }
        #expect(throws: Problem.self) { try budget.take(for: 1, now: now) }
        try budget.take(for: 1, now: now + .seconds(61))
        for user in 2...Int64(TranscriptionBudget.mostAtOnce) { try budget.take(for: user, now: now + .seconds(61)) }
        #expect(throws: Problem.self) { try budget.take(for: 99, now: now + .seconds(61)) }
        budget.giveBack()
        try budget.take(for: 99, now: now + .seconds(61))
    }
}
