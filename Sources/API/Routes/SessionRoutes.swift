import Foundation
import HTTPTypes
import Hummingbird
import Registry
import SessionCore
import Supervisor

/// Making, finding and changing sessions.
extension APIRoutes {
    private static let idempotencyKey = HTTPField.Name("Idempotency-Key")

    var sessionEndpoints: [Endpoint] {
        [
            Endpoint(.post, "/v1/sessions", .role(.user)) { call in
                let principal = try call.authenticated()
                let creation = try SessionCreation(body: await call.json(optional: true))
                let key = try idempotencyKey(of: call)
                let view = try await sessions.create(creation, idempotencyKey: key, by: principal)
                return try .json(
                    SessionDocument(view), status: .created,
                    headers: [.location: "/v1/sessions/\(view.record.id)"])
            },
            Endpoint(.get, "/v1/sessions", .role(.viewer)) { call in
                let page = try await sessions.list(filter(of: call.query), as: call.authenticated())
                return try .json(
                    PageDocument(items: page.items.map { SessionDocument($0) }, nextCursor: page.nextCursor))
            },
            Endpoint(.get, "/v1/sessions/{id}", .role(.viewer), acceptsShare: true) { call in
                let view = try await sessions.session(call.sessionID(), as: call.authenticated())
                return try .json(SessionDocument(view))
            },
            Endpoint(.patch, "/v1/sessions/{id}", .role(.user)) { call in
                let id = try call.sessionID()
                let patch = try SessionPatch(body: await call.json())
                return try .json(SessionDocument(try await sessions.update(id, patch, by: call.authenticated())))
            },
            Endpoint(.delete, "/v1/sessions/{id}", .role(.user)) { call in
                try await sessions.delete(
                    call.sessionID(), keepWorkspace: call.query.bool("keep_workspace"), by: call.authenticated())
                return Response(status: .noContent)
            },
            Endpoint(.post, "/v1/sessions/{id}/stop", .role(.user)) { call in
                try .json(SessionDocument(try await sessions.stop(call.sessionID(), by: call.authenticated())))
            },
            Endpoint(.post, "/v1/sessions/{id}/park", .role(.user)) { call in
                try .json(SessionDocument(try await sessions.park(call.sessionID(), by: call.authenticated())))
            },
            Endpoint(.post, "/v1/sessions/{id}/resume", .role(.user)) { call in
                try .json(SessionDocument(try await sessions.resume(call.sessionID(), by: call.authenticated())))
            },
            Endpoint(.post, "/v1/sessions/{id}/fork", .role(.user)) { call in
                let id = try call.sessionID()
                let fork = try SessionCreation(forkBody: await call.json(optional: true))
                let view = try await sessions.fork(
                    id, fork, idempotencyKey: idempotencyKey(of: call), by: call.authenticated())
                return try .json(
                    SessionDocument(view), status: .created,
                    headers: [.location: "/v1/sessions/\(view.record.id)"])
            },
            Endpoint(.post, "/v1/sessions/{id}/interrupt", .role(.user), acceptsShare: true) { call in
                try await sessions.interrupt(call.sessionID(), by: call.authenticated())
                return Response(status: .noContent)
            },
            Endpoint(.post, "/v1/sessions/{id}/input", .role(.user), acceptsShare: true) { call in
                let id = try call.sessionID()
                let input = try InputBody(body: await call.json())
                let seq = try await sessions.input(
                    id, text: input.text, clientID: input.clientID, submit: input.submit, by: call.authenticated())
                return try .json(InputAccepted(seq: seq), status: .accepted)
            },
        ]
    }

    private func idempotencyKey(of call: Call) throws(Problem) -> String? {
        guard let name = Self.idempotencyKey, let key = call.request.headers[name] else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem(400, "bad_request", "Idempotency-Key must be 1 to 255 visible ASCII characters")
        }
        return key
    }

    private func filter(of query: Query) throws(Problem) -> SessionFilter {
        var filter = SessionFilter()
        filter.lifecycle = try query.choice("lifecycle", of: Lifecycle.self)
        filter.activity = try query.choice("activity", of: Activity.self)
        if let text = query["label"] {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw Problem.invalid("the query's 'label' must be key:value", field: "label")
            }
            filter.label = SessionLabel(key: String(parts[0]), value: String(parts[1]))
        }
        if let text = query["limit"] {
            guard let limit = Int(text), (1...200).contains(limit) else {
                throw Problem.invalid("the query's 'limit' must be 1 to 200", field: "limit")
            }
            filter.limit = limit
        }
        if let cursor = query["cursor"] {
            guard (1...512).contains(cursor.utf8.count) else {
                throw Problem.invalid("the query's 'cursor' is none that a list gave", field: "cursor")
            }
            filter.cursor = cursor
        }
        return filter
    }
}
