import Dialects
import Foundation
import HTTPTypes
import Hummingbird
import NIOFoundationCompat
import Registry
import SessionCore
import Supervisor

/// agentapi's routes, below each session (seed-protocols 5.1).
extension APIRoutes {
    private static let root = "/sessions/{id}/agentapi"

    var agentAPIEndpoints: [Endpoint] {
        [
            Endpoint(.get, Self.root + "/status", .role(.viewer)) { call in
                let feed = try await agentAPI(call)
                let view = try await sessions.session(call.sessionID(), as: call.authenticated())
                let status = await feed.read { $0.status }
                let transport = view.record.kind == .terminal ? "pty" : "acp"
                return .raw(AgentAPIDocument.status(status, transport: transport))
            },
            Endpoint(.get, Self.root + "/messages", .role(.viewer)) { call in
                let messages = await (try agentAPI(call)).read { $0.messages }
                return .raw(AgentAPIDocument.messages(messages))
            },
            Endpoint(.post, Self.root + "/message", .role(.user)) { call in
                let feed = try await agentAPI(call)
                let request: AgentAPIRequest
                do { request = try AgentAPIRequest(try await call.json()) } catch let error as ClientMessageError {
                    throw Problem(422, "invalid", error.description)
                }
                switch request {
                case .user(let text):
                    // Its clients know this as a failure of the server.
                    guard await feed.read({ $0.status }) == .stable else {
                        throw Problem(500, "not_waiting", AgentAPIDocument.notWaiting)
                    }
                    try await sessions.prompt(
                        try call.sessionID(), text, clientID: nil, by: try call.authenticated())
                case .raw(let keys):
                    let answer = try await sessions.dialect(
                        try call.sessionID(), name: "echokit",
                        message: ["type": "bytes_input", "input": .array(keys.utf8.map { .integer(Int64($0)) })],
                        by: try call.authenticated())
                    if let message = answer["error_message"]?.string { throw Problem(500, "not_sent", message) }
                }
                return .raw(AgentAPIDocument.ok)
            },
            Endpoint(.post, Self.root + "/upload", .role(.user)) { call in
                let body = try await call.body(most: AgentAPIDocument.largestUpload)
                let type = call.request.headers[.contentType] ?? ""
                let file: MultipartFile
                do { file = try MultipartFile(body: Data(buffer: body), type: type, field: "file") } catch let error
                    as ClientMessageError
                {
                    throw Problem(422, "invalid", error.description)
                }
                let path = try await sessions.upload(
                    call.sessionID(), name: file.name, content: file.content, by: call.authenticated())
                return .raw(["ok": true, "filePath": .string(path)])
            },
            Endpoint(.get, Self.root + "/events", .role(.viewer), acceptsTicket: true) { call in
                let stream = AgentAPIEventStream(
                    feed: try await agentAPI(call), call: call, authenticator: authenticator)
                return Response(
                    status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
                    body: ResponseBody { writer in try await stream.write(to: &writer) })
            },
        ]
    }

    /// The session as agentapi shows it, for a caller that may see it.
    private func agentAPI(_ call: Call) async throws -> ConversationFeed<AgentAPIConversation> {
        let principal = try call.authenticated()
        let id = try call.sessionID()
        _ = try await sessions.session(id, as: principal)
        let feed = await dialects.agents.feed(of: id)
        await feed.follow(as: principal)
        return feed
    }
}

extension Response {
    /// JSON of a foreign protocol, whose names are not ours to change.
    static func raw(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: value.text)))
    }
}
