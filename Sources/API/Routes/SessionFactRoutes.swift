import Foundation
import HTTPTypes
import Hummingbird
import Registry
import SessionCore
import Supervisor
import WorkerControl

/// Looking at a session: none of these wakes it or counts as activity.
extension APIRoutes {
    private static let sequence = HTTPField.Name("x-rookery-seq")

    var sessionFactEndpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/sessions/{id}/screen", .role(.viewer), acceptsShare: true) { call in
                let format = try call.query.choice("format", of: ScreenFormat.self) ?? .text
                let screen = try await sessions.screen(call.sessionID(), format: format, as: call.authenticated())
                guard format != .json else { return try .json(ScreenDocument(screen)) }
                var headers: HTTPFields = [
                    .contentType: "text/plain; charset=utf-8", .cacheControl: "no-store",
                ]
                if let name = Self.sequence { headers[name] = String(screen.seq) }
                return Response(
                    status: .ok, headers: headers,
                    body: ResponseBody(byteBuffer: ByteBuffer(string: screen.content)))
            },
            Endpoint(.get, "/v1/sessions/{id}/idle", .role(.viewer)) { call in
                try .json(IdleDocument(try await sessions.idle(call.sessionID(), as: call.authenticated())))
            },
            Endpoint(.get, "/v1/sessions/{id}/egress", .role(.viewer)) { call in
                try .json(EgressDocument(try await sessions.egress(call.sessionID(), as: call.authenticated())))
            },
            Endpoint(.get, "/v1/sessions/{id}/stats", .role(.viewer)) { call in
                try .json(StatsDocument(try await sessions.stats(call.sessionID(), as: call.authenticated())))
            },
        ]
    }
}
