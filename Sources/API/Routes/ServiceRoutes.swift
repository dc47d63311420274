import Foundation
import HTTPTypes
import Hummingbird
import NIOFoundationCompat
import Registry
import SessionCore
import Supervisor

/// What operators and tools ask before they have a token, and the page.
extension APIRoutes {
    var serviceEndpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/images", .role(.viewer)) { call in
                let images = await sessions.images(as: try call.authenticated())
                return try .json(PageDocument(items: images.map { ImageDocument($0) }, nextCursor: nil))
            },
            Endpoint(.get, "/healthz", .anyone) { _ in try .json(HealthDocument(status: "ok")) },
            Endpoint(.get, "/readyz", .anyone) { _ in
                var readiness = await sessions.readiness()
                readiness.checks.merge(usage.modelChecks()) { own, _ in own }
                return try .json(readiness, status: readiness.ready ? .ok : .serviceUnavailable)
            },
            Endpoint(.get, "/v1/recovery", .role(.operator)) { _ in
                guard let report = await sessions.adoptionReport() else {
                    throw Problem(503, "unavailable", "the supervisor is starting")
                }
                return try .json(report)
            },
            Endpoint(.get, "/v1/spares", .role(.operator)) { _ in try .json(await sessions.spareReport()) },
            Endpoint(.get, "/v1/upgrade", .role(.operator)) { _ in try .json(await sessions.upgradeReport()) },
            Endpoint(.post, "/v1/upgrade", .role(.operator)) { call in
                let body = try UpgradeBody(body: await call.json(optional: true))
                try await sessions.upgrade(
                    workers: body.workers, replacesSupervisor: body.supervisor, by: call.authenticated())
                return try .json(await sessions.upgradeReport(), status: .accepted)
            },
            Endpoint(.get, "/openapi.json", .anyone) { _ in
                Response(
                    status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-cache"],
                    body: ResponseBody(byteBuffer: ByteBuffer(data: OpenAPIDocument.data)))
            },
            Endpoint(.get, "/", .anyone) { call in
                if call.request.headers[values: .accept].contains(where: { $0.contains("text/html") }) {
                    guard let page = site.file(at: "/index.html") else {
                        throw Problem(404, "no_page", "this server has no page; it serves the API below /v1")
                    }
                    return page.response(to: call.request)
                }
                return try .json(HealthDocument(status: "ok", sessions: await runningSessions(call)))
            },
        ]
    }

    /// How many sessions that the caller may see are running; nil for a caller that is not authenticated.
    private func runningSessions(_ call: Call) async throws -> Int? {
        guard let principal = try? await authenticator.caller(of: call.caller) else { return nil }
        var filter = SessionFilter(lifecycle: .running, limit: 200)
        var count = 0
        repeat {
            let page = try await sessions.list(filter, as: principal)
            count += page.items.count
            filter.cursor = page.nextCursor
        } while filter.cursor != nil && count < 10_000
        return count
    }
}
