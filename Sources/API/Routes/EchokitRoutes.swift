import Foundation
import HTTPTypes
import Hummingbird
import NIOFoundationCompat
import Registry
import SessionCore
import Supervisor

/// Echokit's REST route (seed protocols, 1.7): one message in, the answer out, 200 whenever the message parses.
extension APIRoutes {
    var echokitEndpoints: [Endpoint] {
        [
            Endpoint(.post, "/api/{id}/input", .role(.user)) { call in
                let id = try call.parameter("id")
                let body = try await call.json()
                guard let message = EchokitMessage(body) else {
                    throw Problem(
                        422, "invalid",
                        "the body is not a message of echokit's protocol, such as {\"type\":\"input\",\"input\":\"…\"}")
                }
                let internalError = call.query["compat"] == "echokit-head" ? "InternalError" : "internal_error"
                let answer = try await echokit(
                    id, message, body, by: call.authenticated(), internalError: internalError)
                let data = try JSONEncoder.rookery.encode(answer)
                return Response(
                    status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
                    body: ResponseBody(byteBuffer: ByteBuffer(data: data)))
            },
            Endpoint(.post, "/v1/audio/transcriptions", .role(.user)) { call in
                guard let transcription else {
                    throw Problem(
                        404, "not_found", "no transcription server is configured: see --transcription-url")
                }
                return try await transcription.answer(call)
            },
        ]
    }

    private func echokit(
        _ text: String, _ message: EchokitMessage, _ body: JSONValue, by principal: Principal, internalError: String
    ) async throws -> JSONValue {
        let asks = message == .getCurrentState
        guard let id = SessionID(parsing: text) else {
            return asks ? EchokitError.notFound(text).value : EchokitError.badID(text).value
        }
        do throws(SupervisorError) {
            if asks {
                // A question makes and wakes nothing.
                guard try await sessions.session(id, as: principal).record.lifecycle == .running else {
                    return EchokitError.notFound(text).value
                }
            } else {
                try await sessions.ensureRunning(id, by: principal)
            }
            return try await sessions.dialect(id, name: "echokit", message: body, by: principal)
        } catch {
            if asks, error.code == .notFound { return EchokitError.notFound(text).value }
            return EchokitError.failed(text, internalError, error.detail).value
        }
    }
}
