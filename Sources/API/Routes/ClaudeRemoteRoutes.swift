import Dialects
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Registry
import ServiceLifecycle
import SessionCore

/// claude-remote's REST and event stream (seed-protocols 4), and the devices behind it.
extension APIRoutes {
    private static let lastEventID = HTTPField.Name("Last-Event-ID")

    var claudeRemoteEndpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/devices", .role(.viewer)) { call in
                let devices = try await remote().registry.devices(visibleTo: call.authenticated())
                return .raw(["items": .array(devices.map(\.json))])
            },
            Endpoint(.post, "/v1/devices", .role(.user)) { call in
                let fields = try BodyFields(await call.json(), allowed: ["name"])
                let name = try fields.requiredString("name", most: 100)
                let code = try dialects.pairings.make(name: name, for: call.authenticated())
                return .raw(
                    ["code": .string(code), "expires_in": .string("\(Int(PairingCodes.lifetime))s")], status: .created)
            },
            Endpoint(.post, "/v1/devices/enrol", .anyone) { call in
                let fields = try BodyFields(await call.json(), allowed: ["code"])
                let code = try fields.requiredString("code", most: 64)
                try authenticator.throttle.check(call.caller.remote)
                guard let (holder, name) = dialects.pairings.redeem(code),
                    let principal = try await authenticator.current(holder)
                else {
                    authenticator.throttle.failed(call.caller.remote)
                    throw Problem(401, "bad_code", "the code is unknown, used, or older than ten minutes")
                }
                let secret = Data((0..<ClaudeRemoteDevice.secretSize).map { _ in UInt8.random(in: .min ... .max) })
                let device = try await remote().registry.createDevice(name: name, secret: secret, for: principal)
                return .raw(
                    [
                        "id": .integer(device.id), "name": .string(device.name),
                        "secret": .string(secret.base64EncodedString()),
                    ], status: .created)
            },
            Endpoint(.delete, "/v1/devices/{id}", .role(.user)) { call in
                let id = try call.rowID()
                guard try await remote().registry.deleteDevice(id, visibleTo: call.authenticated()) else {
                    throw Problem.notFound("the device \(id)")
                }
                await (try remote()).removed(device: id)
                return Response(status: .noContent)
            },
            Endpoint(.get, "/events", .role(.viewer), acceptsTicket: true) { call in
                let hub = try remote()
                let text = Self.lastEventID.flatMap { call.request.headers[$0] } ?? call.query["since"]
                let since = text.flatMap(UInt64.init)
                let stream = ClaudeRemoteEventStream(
                    hub: hub, since: since, call: call, authenticator: authenticator)
                return Response(
                    status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
                    body: ResponseBody { writer in try await stream.write(to: &writer) })
            },
            Endpoint(.post, "/api/sessions/{id}/prompts", .role(.user)) { call in
                let id = try call.rowID()
                let hub = try remote()
                guard try await hub.registry.remoteSession(id, visibleTo: call.authenticated()) != nil else {
                    throw Problem.notFound("the session \(id)")
                }
                guard let device = await hub.device(of: id) else {
                    throw Problem(410, "gone", "the session \(id) is not connected")
                }
                let prompt: ClaudeRemotePromptText
                do { prompt = try ClaudeRemotePromptText(ClientFields(try await call.json())) } catch let error
                    as ClientMessageError
                {
                    throw Problem(422, "invalid", error.description)
                }
                return .raw(
                    ["ok": true, "prompt": try await hub.prompt(id, prompt, device: device).json], status: .created)
            },
            Endpoint(.post, "/api/prompts/{id}/approve", .role(.approver)) { call in
                try await answer(call, "approve", keys: \.approveKeys) { PermissionAnswer(choosing: 0, of: $0) }
            },
            Endpoint(.post, "/api/prompts/{id}/reject", .role(.approver)) { call in
                try await answer(call, "reject", keys: \.rejectKeys) {
                    PermissionAnswer(id: $0["id"]?.string ?? "", decision: .deny)
                }
            },
            Endpoint(.post, "/api/prompts/{id}/answer", .role(.approver)) { call in
                let answer: ClaudeRemoteAnswer
                do { answer = try ClaudeRemoteAnswer(try await call.json()) } catch let error as ClientMessageError {
                    throw Problem(422, "invalid", error.description)
                }
                return try await self.answer(call, answer.value, keys: { _ in answer.keys }) { answer.answer(to: $0) }
            },
        ]
    }

    /// Remote sessions as `GET /api/sessions` lists them.
    func remoteSessions(_ call: Call) async throws -> [JSONValue] {
        guard let hub = dialects.remote else { return [] }
        await hub.lookBack()
        let live = await hub.liveSessions
        return try await hub.registry.remoteSessions(visibleTo: call.authenticated()).map { record in
            ClaudeRemoteSession(record).json(
                isActive: live.contains(record.id), pendingPrompts: record.openPrompts)
        }
    }

    private func remote() throws(Problem) -> ClaudeRemoteHub {
        guard let hub = dialects.remote else {
            throw Problem(404, "not_found", "this server takes no remote sessions")
        }
        return hub
    }

    /// - Parameters:
    ///   - keys: what is typed where the session runs elsewhere.
    ///   - choose: what is answered where it runs here, to the permission that it asks for.
    private func answer(
        _ call: Call, _ response: String, keys: (PromptRecord) -> String,
        _ choose: @Sendable (JSONValue) -> PermissionAnswer
    ) async throws -> Response {
        let principal = try call.authenticated()
        let hub = try remote()
        let name = try call.parameter("id")
        let row = Int64(name).flatMap { $0 < ClaudeRemotePrompt.firstOwn ? $0 : nil }
        guard row != nil else {
            guard let prompt = try await hub.answerOwn(name, response, by: principal, choose) else {
                throw Problem.notFound("the prompt '\(name.prefix(80))'")
            }
            return .raw(["ok": true, "prompt": prompt.json])
        }
        let id = try call.rowID()
        guard let record = try await hub.registry.prompt(id, visibleTo: principal) else {
            throw Problem.notFound("the prompt \(id)")
        }
        let prompt = try await hub.answer(record, response, by: principal, keys: keys(record))
        return .raw(["ok": true, "prompt": prompt.json])
    }
}

extension Call {
    /// The number of a row. What is none cannot be one, so it is not found.
    fileprivate func rowID() throws(Problem) -> Int64 {
        let text = try parameter("id")
        guard let id = Int64(text), id > 0 else { throw Problem.notFound("'\(text.prefix(80))'") }
        return id
    }
}

extension DeviceRecord {
    /// Without the secret.
    fileprivate var json: JSONValue {
        [
            "id": .integer(id), "name": .string(name), "owner": .string(owner),
            "created_at": .string(createdAt.formatted(.rookery)),
            "last_seen": lastSeen.map { .string($0.formatted(.rookery)) } ?? .null,
        ]
    }
}
