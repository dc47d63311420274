import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Registry
import SessionCore
import Supervisor

/// What a session did, from its journal: none of these wakes it, and it need not run.
extension APIRoutes {
    var pastEndpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/sessions/{id}/recording", .role(.viewer), acceptsTicket: true) { call in
                let principal = try call.authenticated()
                let past = try await sessions.past(call.sessionID(), as: principal)
                let includesInput = try call.query.bool("input")
                guard !includesInput || principal.mayChange(past.record) else {
                    throw Problem(
                        403, "forbidden",
                        "what was typed, secrets included, is for who may type: leave 'input' out, or ask the owner")
                }
                guard let journal = past.journal else {
                    throw Problem(404, "no_recording", "the session \(past.record.id) has no journal to make one of")
                }
                let hasTerminal = past.record.kind == .terminal ? true : try await journal.hasOutput()
                guard hasTerminal else { throw SupervisorError.noScreen(past.record.id) }
                let recording = Recording(
                    past: past, journal: journal, since: try call.number("since") ?? 0, includesInput: includesInput)
                return Response(
                    status: .ok,
                    headers: [
                        .contentType: "application/x-asciicast", .cacheControl: "no-store",
                        .contentDisposition: "attachment; filename=\"\(past.record.id).cast\"",
                    ],
                    body: ResponseBody { writer in try await recording.write(to: &writer) })
            },
            Endpoint(.get, "/v1/sessions/{id}/history", .role(.viewer), acceptsShare: true) { call in
                let limit = try call.number("limit") ?? 300
                guard (1...1000).contains(limit) else {
                    throw Problem.invalid("limit must be 1 to 1000", field: "limit")
                }
                let before = try call.number("before")
                guard before != 0 else { throw Problem.invalid("there is nothing before event 1", field: "before") }
                let history = try await sessions.history(
                    call.sessionID(), before: before, limit: Int(limit), as: call.authenticated())
                return try .json(HistoryDocument(items: history.events, before: history.before))
            },
            Endpoint(.get, "/v1/sessions/{id}/transcript", .role(.viewer), acceptsShare: true) { call in
                let limit = try call.number("limit") ?? 100
                guard (1...500).contains(limit) else { throw Problem.invalid("limit must be 1 to 500", field: "limit") }
                let transcript = Transcript(
                    past: try await sessions.past(call.sessionID(), as: call.authenticated()), limit: Int(limit))
                return try .json(try await transcript.page(after: try call.number("cursor") ?? 0))
            },
        ]
    }
}

extension Call {
    /// A number of the query; nil when it is not there.
    func number(_ name: String) throws(Problem) -> UInt64? {
        guard let text = query[name] else { return nil }
        guard let number = UInt64(text), number <= UInt64(Int64.max) else {
            throw Problem.invalid("the query's '\(name)' must be a number", field: name)
        }
        return number
    }
}
