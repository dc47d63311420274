import Foundation
import Hummingbird
import Registry
import SessionCore
import Supervisor

/// Commands for a session's program, and the permissions that it asks for.
extension APIRoutes {
    /// Bytes of a command: a prompt with its images.
    private static let largestCommand = 7 << 20

    var commandEndpoints: [Endpoint] {
        [
            Endpoint(.post, "/v1/sessions/{id}/commands", .role(.viewer), acceptsShare: true) { call in
                let body = try await call.json(most: Self.largestCommand)
                let command: SessionCommand
                do throws(CommandSyntaxError) { command = try SessionCommand(body) } catch {
                    throw Problem(422, error.code, error.description)
                }
                return try await answer(try await sessions.command(call.sessionID(), command, by: call.authenticated()))
            },
            Endpoint(.get, "/v1/sessions/{id}/permissions", .role(.viewer), acceptsShare: true) { call in
                let outcome = try await sessions.command(call.sessionID(), .permissions, by: call.authenticated())
                guard case .done(let data) = outcome else { return try await answer(outcome) }
                return try .json(["items": data["permissions"] ?? []] as JSONValue)
            },
            Endpoint(.post, "/v1/sessions/{id}/permissions/{pid}", .role(.approver), acceptsShare: true) { call in
                let body = try await call.json()
                let pid = try call.parameter("pid")
                let permission: PermissionAnswer
                do throws(CommandSyntaxError) { permission = try PermissionAnswer(body, id: pid) } catch {
                    throw Problem(422, error.code, error.description)
                }
                return try await answer(
                    try await sessions.command(call.sessionID(), .answer(permission), by: call.authenticated()))
            },
            Endpoint(.post, "/v1/sessions/{id}/switch", .role(.user)) { call in
                let fields = try BodyFields(try await call.json(), allowed: ["kind"])
                guard let kind = try fields.choice("kind", of: SessionKind.self), kind != .remote else {
                    throw Problem.invalid("'kind' is missing: terminal or structured", field: "kind")
                }
                let view = try await sessions.switchKind(call.sessionID(), to: kind, by: call.authenticated())
                return try .json(SessionDocument(view))
            },
            Endpoint(.get, "/v1/audit", .role(.admin)) { call in
                let limit = try call.query.integer("limit", in: 1...200) ?? 50
                let cursor = try call.query.integer("cursor", in: 1...Int.max)
                let items = try await sessions.audit(
                    as: call.authenticated(), before: cursor.map(Int64.init), limit: limit)
                let next = items.count == limit ? items.last.map { JSONValue.string("\($0.id)") } : nil
                return try .json(
                    ["items": .array(items.map(\.document)), "next_cursor": next ?? .null] as JSONValue)
            },
            Endpoint(.get, "/v1/permissions", .role(.viewer), acceptsShare: true) { call in
                let open = try await sessions.permissions(as: call.authenticated())
                return try .json(["items": .array(open.map(\.document))] as JSONValue)
            },
        ]
    }

    private func answer(_ outcome: CommandOutcome) async throws -> Response {
        switch outcome {
        case .done(let data): return try .json(data)
        case .failed(let failure): throw Problem(failure)
        }
    }
}

extension SessionPermission {
    var document: JSONValue {
        guard case .object(var members) = data else { return data }
        members["session_id"] = .string(session.description)
        members["session_name"] = name.map { .string($0) } ?? .null
        members["owner"] = .string(owner)
        return .object(members)
    }
}

extension AuditRecord {
    var document: JSONValue {
        [
            "id": .integer(id), "time": .string(time.formatted(.rookery)), "actor": .string(actor),
            "action": .string(action), "session_id": sessionID.map { .string($0) } ?? .null, "detail": detail,
            "hash": .string(hash.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()),
        ]
    }
}

extension Problem {
    init(_ failure: CommandFailure) {
        let status =
            switch failure.code {
            case "malformed_command", "unknown_command", "input_too_large", "empty_prompt": 422
            case "not_allowed": 403
            case "no_such_permission", "no_such_prompt": 404
            case "uncertain": 504
            case "journal_full": 507
            case "input_backlog": 429
            default: 409
            }
        self.init(status, failure.code, failure.detail, retryAfter: status == 429 ? 1 : nil)
        // Of the answer that was first: who, what and when.
        if case .object(let data) = failure.data { members.merge(data) { own, _ in own } }
    }
}
