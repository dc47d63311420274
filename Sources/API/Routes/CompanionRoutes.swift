import Dialects
import Foundation
import HTTPTypes
import Hummingbird
import Registry
import SessionCore
import Supervisor
import WorkerControl

/// The part of Companion's REST that is about sessions (seed-protocols 3.5).
extension APIRoutes {
    private static let archived = "archived"

    var companionEndpoints: [Endpoint] {
        [
            Endpoint(.get, "/api/sessions", .role(.viewer)) { call in
                switch face {
                case .companion: .raw(.array(try await ownSessions(call)))
                case .all, .claudeSocket, .claudeRemote:
                    .raw(.array(try await ownSessions(call) + remoteSessions(call)))
                }
            },
            Endpoint(.post, "/api/sessions/create", .role(.user)) { call in
                let creation: CompanionCreation
                do { creation = try CompanionCreation(try await call.json(optional: true)) } catch let error
                    as ClientMessageError
                {
                    throw Problem(422, "invalid", error.description)
                }
                let view = try await sessions.create(
                    SessionCreation(
                        kind: .structured, env: creation.environment.isEmpty ? nil : creation.environment,
                        model: creation.model,
                        permissionMode: creation.permissionMode), idempotencyKey: nil, by: call.authenticated())
                return .raw(CompanionSessionInfo(view).json, status: .created)
            },
            Endpoint(.get, "/api/sessions/{id}", .role(.viewer)) { call in
                let view = try await sessions.session(call.sessionID(), as: call.authenticated())
                return .raw(CompanionSessionInfo(view).json)
            },
            Endpoint(.delete, "/api/sessions/{id}", .role(.user)) { call in
                try await sessions.delete(call.sessionID(), keepWorkspace: false, by: call.authenticated())
                return .raw(Self.companionOK)
            },
            Endpoint(.post, "/api/sessions/{id}/kill", .role(.user)) { call in
                _ = try await sessions.stop(call.sessionID(), by: call.authenticated())
                return .raw(Self.companionOK)
            },
            Endpoint(.post, "/api/sessions/{id}/relaunch", .role(.user)) { call in
                _ = try await sessions.resume(call.sessionID(), by: call.authenticated())
                return .raw(Self.companionOK)
            },
            Endpoint(.post, "/api/sessions/{id}/archive", .role(.user)) { call in
                _ = try await sessions.stop(call.sessionID(), by: call.authenticated())
                return try await archive(call, true)
            },
            Endpoint(.post, "/api/sessions/{id}/unarchive", .role(.user)) { call in try await archive(call, false) },
            Endpoint(.patch, "/api/sessions/{id}/name", .role(.user)) { call in
                let body = try await call.json()
                guard let name = body["name"]?.string, name.utf8.count <= 200 else {
                    throw Problem.invalid("'name' must be a string of at most 200 bytes", field: "name")
                }
                _ = try await sessions.update(
                    call.sessionID(), SessionPatch(name: name), by: call.authenticated())
                return .raw(["ok": true, "name": .string(name)])
            },
            Endpoint(.get, "/api/claude/sessions/discover", .role(.viewer)) { call in
                let limit = try call.number("limit") ?? 50
                guard (1...200).contains(limit) else { throw Problem.invalid("limit must be 1 to 200", field: "limit") }
                let page = try await sessions.list(SessionFilter(limit: Int(limit)), as: call.authenticated())
                return .raw(["sessions": .array(page.items.map { $0.discovered })])
            },
            Endpoint(.get, "/api/claude/sessions/{id}/history", .role(.viewer)) { call in
                let limit = try call.number("limit") ?? 100
                guard (1...500).contains(limit) else { throw Problem.invalid("limit must be 1 to 500", field: "limit") }
                let past = try await sessions.past(call.sessionID(), as: call.authenticated())
                let page = try await Transcript(past: past, limit: Int(limit)).page(
                    after: try call.number("cursor") ?? 0)
                var session = CompanionSession(CompanionFacts(past.record))
                let frames = page.items.compactMap { ConversationEvent($0) }.flatMap { session.apply($0) }
                return .raw([
                    "messages": .array(frames.filter(\.message.isInHistory).map(\.json)),
                    "nextCursor": page.nextCursor.map { .string($0) } ?? .null,
                ])
            },
        ]
    }

    private static let companionOK: JSONValue = ["ok": true]

    /// Every session that the caller may see, newest first.
    private func ownSessions(_ call: Call) async throws -> [JSONValue] {
        var all: [JSONValue] = []
        var filter = SessionFilter(limit: 200)
        repeat {
            let page = try await sessions.list(filter, as: call.authenticated())
            all += page.items.filter { $0.record.lifecycle != .deleted }.map { CompanionSessionInfo($0).json }
            filter.cursor = page.nextCursor
        } while filter.cursor != nil && all.count < 1000
        return all
    }

    private func archive(_ call: Call, _ isArchived: Bool) async throws -> Response {
        let id = try call.sessionID()
        let principal = try call.authenticated()
        var labels = try await sessions.session(id, as: principal).record.labels
        labels[Self.archived] = isArchived ? "true" : nil
        _ = try await sessions.update(id, SessionPatch(labels: labels), by: principal)
        return .raw(Self.companionOK)
    }
}

extension CompanionSessionInfo {
    init(_ view: SessionView) {
        self.init(
            facts: CompanionFacts(view.record), lifecycle: view.record.lifecycle, activity: view.worker?.activity,
            createdAt: view.record.createdAt, isArchived: view.record.labels["archived"] == "true",
            pendingPrompts: view.worker?.activity == .pending ? 1 : 0)
    }
}

extension SessionView {
    /// As in Companion's `GET /api/claude/sessions/discover`.
    fileprivate var discovered: JSONValue {
        [
            "sessionId": .string(record.id.description), "cwd": "/workspace",
            "title": record.name.map { .string($0) } ?? .null,
            "lastActivityAt": .integer(record.lastActivityAt.milliseconds),
        ]
    }
}
