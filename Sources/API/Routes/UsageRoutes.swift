import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Registry
import SessionCore

/// What was used, by whom, and what it cost.
extension APIRoutes {
    var usageEndpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/usage", .role(.viewer)) { call in
                let rows = try await usage.usage(usageQuery(of: call), as: call.authenticated())
                return try .json(PageDocument(items: rows.map { UsageDocument($0) }, nextCursor: nil))
            },
            Endpoint(.get, "/v1/sessions/{id}/usage", .role(.viewer)) { call in
                let principal = try call.authenticated()
                let id = try call.sessionID()
                _ = try await sessions.session(id, as: principal)
                let models = try await usage.usage(UsageQuery(sessionID: id, groups: [.model]), as: principal)
                let total = try await usage.usage(UsageQuery(sessionID: id), as: principal)
                return try .json(
                    SessionUsageDocument(
                        total: UsageDocument(total.first ?? UsageRow(requests: 0, tokens: .none)),
                        models: models.map { UsageDocument($0) }))
            },
            Endpoint(.get, "/v1/sessions/{id}/requests", .role(.viewer)) { call in
                let principal = try call.authenticated()
                let id = try call.sessionID()
                _ = try await sessions.session(id, as: principal)
                let limit = try call.number("limit") ?? 100
                guard (1...500).contains(limit) else { throw Problem.invalid("limit must be 1 to 500", field: "limit") }
                let page = try await usage.requests(
                    of: id, limit: Int(limit), cursor: call.query["cursor"], as: principal)
                return try .json(
                    PageDocument(items: page.items.map { RequestDocument($0) }, nextCursor: page.nextCursor))
            },
            Endpoint(.get, "/v1/sessions/{id}/requests/{request}", .role(.viewer)) { call in
                let principal = try call.authenticated()
                let id = try call.sessionID()
                _ = try await sessions.session(id, as: principal)
                let name = try call.parameter("request")
                guard let request = UUID(uuidString: name),
                    let found = try await usage.request(request, of: id, as: principal)
                else { throw Problem.notFound("the request '\(name.prefix(40))'") }
                return try .json(WholeRequestDocument(found.request, found.bodies))
            },
            Endpoint(.get, "/metrics", .role(.operator)) { _ in
                let text = try await usage.metrics() + SpareMetrics(await sessions.spareReport()).text
                return Response(
                    status: .ok,
                    headers: [
                        .contentType: "text/plain; version=0.0.4; charset=utf-8", .cacheControl: "no-store",
                    ], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
            },
        ]
    }

    private func usageQuery(of call: Call) throws(Problem) -> UsageQuery {
        var query = UsageQuery(since: call.query["since"], until: call.query["until"])
        if let text = call.query["session_id"] {
            guard let id = SessionID(parsing: text) else {
                throw Problem.invalid("the query's 'session_id' must be a UUID", field: "session_id")
            }
            query.sessionID = id
        }
        for name in (call.query["group_by"] ?? "").split(separator: ",") {
            guard let key = UsageKey(rawValue: String(name)), !query.groups.contains(key) else {
                let known = UsageKey.allCases.map(\.rawValue).joined(separator: ", ")
                throw Problem.invalid("the query's 'group_by' takes each of \(known) once", field: "group_by")
            }
            query.groups.append(key)
        }
        return query
    }
}
