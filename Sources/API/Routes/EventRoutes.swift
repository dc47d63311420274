import Foundation
import HTTPTypes
import Hummingbird
import Registry
import SessionCore
import Supervisor

/// Event streams (`text/event-stream`, HTML living standard 9.2).
extension APIRoutes {
    private static let lastEventID = HTTPField.Name("Last-Event-ID")

    var eventEndpoints: [Endpoint] {
        [
            Endpoint(
                .get, "/v1/sessions/{id}/events", .role(.viewer), acceptsTicket: true, acceptsShare: true
            ) { call in
                let events = try await sessions.events(
                    call.sessionID(), since: since(of: call), as: call.authenticated())
                return try stream(events, call)
            },
            Endpoint(.get, "/v1/events", .role(.viewer), acceptsTicket: true) { call in
                try stream(await sessions.events(as: call.authenticated()), call)
            },
        ]
    }

    /// Where to go on: what the browser saw last, else what the caller asks for, else from now on.
    private func since(of call: Call) throws(Problem) -> UInt64? {
        if let name = Self.lastEventID, let text = call.request.headers[name], !text.isEmpty {
            guard let number = UInt64(text) else {
                throw Problem.invalid("Last-Event-ID must be a sequence number", field: "Last-Event-ID")
            }
            return number
        }
        guard let text = call.query["since"] else { return nil }
        guard let number = UInt64(text) else {
            throw Problem.invalid("the query's 'since' must be a sequence number", field: "since")
        }
        return number
    }

    private func stream(_ events: AsyncStream<SessionEvent>, _ call: Call) throws(Problem) -> Response {
        let stream = ServerSentEvents(
            events: events, channel: call.context.channel, principal: try call.authenticated(),
            authenticator: authenticator)
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
            body: ResponseBody { writer in try await stream.write(to: &writer) })
    }
}
