import EndToEndSupport
import Foundation
import NIOHTTP1
import SessionCore
import Testing

/// Everything a caller can get wrong is answered with a clear error and changes nothing.
@Suite(.serialized) struct BadInputTests {
    @Test func wrongRequestsGetProblemDocuments() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let unknown = "11111111-2222-4333-8444-555555555555"
            let cases: [(String, HTTPMethod, String, String?, Int)] = [
                ("unknown session", .GET, "/v1/sessions/\(unknown)", nil, 404),
                ("unknown session's input", .POST, "/v1/sessions/\(unknown)/input", #"{"text":"x"}"#, 404),
                ("bad UUID", .GET, "/v1/sessions/not-a-uuid", nil, 404),
                ("malformed JSON", .POST, "/v1/sessions", #"{"name":"#, 400),
                ("not an object", .POST, "/v1/sessions", "[]", 422),
                ("wrong type", .POST, "/v1/sessions", #"{"name":7}"#, 422),
                ("unknown key", .POST, "/v1/sessions", #"{"nmae":"x"}"#, 422),
                ("bad id", .POST, "/v1/sessions", #"{"id":"x"}"#, 422),
                ("unsupported policy", .POST, "/v1/sessions", #"{"policy":"no-such-policy"}"#, 422),
                ("unsupported kind", .POST, "/v1/sessions", #"{"kind":"hologram"}"#, 422),
                ("bad duration", .POST, "/v1/sessions", #"{"idle_timeout":"soon"}"#, 422),
                ("reserved variable", .POST, "/v1/sessions", #"{"env":{"ANTHROPIC_API_KEY":"x"}}"#, 422),
                (
                    "oversize body", .POST, "/v1/sessions", "{\"name\":\"\(String(repeating: "x", count: 2 << 20))\"}",
                    413
                ),
                ("no such route", .GET, "/v1/nothing", nil, 404),
                ("bad cursor", .GET, "/v1/sessions?cursor=%21%21", nil, 422),
            ]
            for (name, method, path, body, status) in cases {
                let answer = try await api.send(method, path, body: body.map { Data($0.utf8) })
                #expect(answer.status == status, "\(name): \(answer.status) \(answer.text.prefix(300))")
                #expect(
                    answer.headers.first(name: "content-type")?.hasPrefix("application/problem+json") == true, "\(name)"
                )
                #expect(answer.json["code"]?.string?.isEmpty == false, "\(name)")
                #expect(answer.json["detail"]?.string?.isEmpty == false, "\(name)")
            }
            #expect(try await api.sessions().isEmpty)
        }
    }

    @Test func withoutATokenNothingIsShown() async throws {
        try await Rookery.with { (rookery: Rookery) async throws in
            var stranger = rookery.api
            stranger.token = nil
            #expect(try await stranger.get("/v1/sessions").status == 401)
            stranger.token = "rk_aaaaaaaaaaaa_wrong"
            #expect(try await stranger.get("/v1/sessions").status == 401)
            #expect(try await stranger.get("/healthz").status == 200)
            #expect(try await rookery.api.get("/v1/sessions?token=\(rookery.api.token ?? "")").status == 400)
        }
    }

    @Test func anotherHostNameIsRefused() async throws {
        try await Rookery.with(RookeryOptions(auth: "none")) { rookery in
            let rebound = try await rookery.api.send(
                .GET, "/v1/sessions", headers: [("host", "evil.example:3000")])
            #expect(rebound.status == 400 || rebound.status == 403 || rebound.status == 421)
            let foreign = try await rookery.api.send(
                .POST, "/v1/sessions", body: Data("{}".utf8), headers: [("origin", "https://evil.example")])
            #expect(foreign.status == 403)
        }
    }
}
