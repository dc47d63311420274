import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Registry
import SessionCore
import Supervisor
import Testing
import WorkerControl

@testable import API

/// The routes without sockets.
@Suite struct RouteTests {
    @Test func listsTheImages() async throws {
        try await RouteFixture().run { client, _ in
            let answer = try await client.executeRequest(
                uri: "/v1/images", method: .get, headers: RouteFixture.bearer(.viewer), body: nil)
            #expect(answer.status == .ok)
            let items = try #require(try RouteFixture.json(answer)["items"]?.array)
            #expect(items.map { $0["name"]?.string } == ["host", "tools"])
            #expect(items.last?["built_at"]?.string == "1970-01-12T13:46:40.000Z")
            #expect(items.last?["packages"] == 1)
            #expect(items.first?["digest"] == nil)
            let stranger = try await client.executeRequest(uri: "/v1/images", method: .get, headers: [:], body: nil)
            #expect(stranger.status == .unauthorized)
        }
    }

    @Test func createsASessionAndShowsIt() async throws {
        try await RouteFixture().run { client, sessions in
            var headers = RouteFixture.bearer(.user)
            headers[HTTPField.Name("Idempotency-Key")!] = "k1"
            let body = #"{"name":"demo","labels":{"aTeam":"x"},"size":{"cols":100,"rows":30},"idle_timeout":"20m"}"#
            let made = try await client.executeRequest(
                uri: "/v1/sessions", method: .post, headers: headers, body: ByteBuffer(string: body))
            #expect(made.status == .created)
            let document = try RouteFixture.json(made)
            let id = try #require(document["id"]?.string)
            #expect(made.headers[.location] == "/v1/sessions/\(id)")
            #expect(document["labels"] == ["aTeam": "x"])
            #expect(document["activity"] == .null)
            #expect(document["last_activity_at"]?.string == "2026-09-21T14:13:20.000Z")
            #expect(document["deadlines"] == ["parks_at": nil, "ends_at": nil])
            #expect(await sessions.calls == ["create k1"])
            let creation = try #require(await sessions.lastCreation)
            #expect(creation.size == TerminalSize(cols: 100, rows: 30))
            #expect(creation.idleTimeout == .minutes(20))
            let shown = try await client.executeRequest(
                uri: "/v1/sessions/\(id)", method: .get, headers: RouteFixture.bearer(.viewer), body: nil)
            #expect(try RouteFixture.json(shown) == document)
            #expect(shown.headers[HTTPField.Name("x-request-id")!] != nil)
            #expect(shown.headers[HTTPField.Name("x-content-type-options")!] == "nosniff")
        }
    }

    @Test func aPolicyIsShownAsFarAsTheCallerMaySee() async throws {
        try await RouteFixture().run { client, _ in
            func policy(_ role: Role) async throws -> JSONValue {
                let response = try await client.executeRequest(
                    uri: "/v1/policies/team", method: .get, headers: RouteFixture.bearer(role), body: nil)
                #expect(response.status == .ok)
                return try RouteFixture.json(response)
            }
            let mine = try await policy(.admin)
            #expect(mine["mounts"] == [["source": "/srv/secret", "target": "/data", "access": "read"]])
            #expect(mine["environment"] == ["EDITOR": "vi"])
            #expect(mine["limits"]?["cpu_percent"]?.integer == 200)
            let users = try await policy(.user)
            #expect(users["mounts"] == [["target": "/data", "access": "read"]])
            #expect(users["environment"] == ["EDITOR": "vi"])
            #expect(try await policy(.viewer)["environment"] == nil)
            let all = try await client.executeRequest(
                uri: "/v1/policies", method: .get, headers: RouteFixture.bearer(.user), body: nil)
            let items = try RouteFixture.json(all)["items"]?.array ?? []
            #expect(items.map { $0["name"]?.string } == ["default", "team"])
            #expect(items.last == users)
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var method: HTTPRequest.Method
        var path: String
        var body: String?
        var status: Int
        var code: String
        var role: Role? = .admin
        var type = "application/json"
        var testDescription: String { "\(method) \(path) \(body ?? "") → \(status) \(code)" }
    }

    @Test(arguments: [
        Refusal(method: .get, path: "/v1/nothing", status: 404, code: "not_found"),
        Refusal(method: .get, path: "/v1/nothing", status: 404, code: "not_found", role: nil),
        Refusal(method: .put, path: "/v1/sessions", status: 405, code: "method_not_allowed"),
        Refusal(method: .get, path: "/v1/sessions", status: 401, code: "unauthenticated", role: nil),
        Refusal(method: .get, path: "/v1/sessions/nope", status: 404, code: "not_found"),
        Refusal(method: .get, path: "/v1/sessions/%ff", status: 404, code: "not_found"),
        Refusal(
            method: .get, path: "/v1/sessions/00000000-0000-0000-0000-000000000001", status: 404, code: "not_found"),
        Refusal(method: .post, path: "/v1/sessions", body: "{}", status: 403, code: "forbidden", role: .viewer),
        Refusal(method: .post, path: "/v1/sessions", body: "{}", status: 403, code: "forbidden", role: .approver),
        Refusal(method: .get, path: "/v1/policies", status: 401, code: "unauthenticated", role: nil),
        Refusal(method: .get, path: "/v1/policies/none", status: 404, code: "not_found"),
        Refusal(method: .get, path: "/v1/tokens", status: 403, code: "forbidden", role: .user),
        Refusal(method: .post, path: "/v1/sessions", body: "{\n \"name\": x}", status: 400, code: "bad_json"),
        Refusal(method: .post, path: "/v1/sessions", body: "[]", status: 422, code: "invalid"),
        Refusal(method: .post, path: "/v1/sessions", body: #"{"nmae":"x"}"#, status: 422, code: "unknown_field"),
        Refusal(
            method: .post, path: "/v1/sessions", body: #"{"size":{"cols":80,"rows":24,"x":1}}"#, status: 422,
            code: "unknown_field"),
        Refusal(method: .post, path: "/v1/sessions", body: #"{"repository":{}}"#, status: 422, code: "unsupported"),
        Refusal(method: .post, path: "/v1/sessions", body: #"{"id":"x"}"#, status: 422, code: "invalid"),
        Refusal(method: .post, path: "/v1/sessions", body: #"{"kind":"remote"}"#, status: 422, code: "invalid"),
        Refusal(
            method: .post, path: "/v1/sessions", body: #"{"size":{"cols":1,"rows":24}}"#, status: 422, code: "invalid"),
        Refusal(
            method: .post, path: "/v1/sessions", body: #"{"size":{"cols":9e99,"rows":24}}"#, status: 422,
            code: "invalid"),
        Refusal(method: .post, path: "/v1/sessions", body: #"{"idle_timeout":"soon"}"#, status: 422, code: "invalid"),
        Refusal(method: .post, path: "/v1/sessions", body: #"{"idle_timeout":-1}"#, status: 422, code: "invalid"),
        Refusal(method: .post, path: "/v1/sessions", body: #"{"name":"a\u0007"}"#, status: 422, code: "invalid"),
        Refusal(method: .post, path: "/v1/sessions", body: #"{"env":{"A=B":"x"}}"#, status: 422, code: "invalid"),
        Refusal(method: .post, path: "/v1/sessions", body: #"{"labels":{"":"x"}}"#, status: 422, code: "invalid"),
        Refusal(
            method: .post, path: "/v1/sessions", body: "{}", status: 415, code: "unsupported_media_type",
            type: "text/plain"),
        Refusal(method: .get, path: "/v1/sessions?limit=0", status: 422, code: "invalid"),
        Refusal(method: .get, path: "/v1/sessions?limit=x", status: 422, code: "invalid"),
        Refusal(method: .get, path: "/v1/sessions?lifecycle=happy", status: 422, code: "invalid"),
        Refusal(method: .get, path: "/v1/sessions?label=x", status: 422, code: "invalid"),
        Refusal(method: .get, path: "/v1/sessions?label=%zz", status: 400, code: "bad_request"),
        Refusal(method: .get, path: "/v1/sessions?token=x", status: 400, code: "token_in_url"),
        Refusal(method: .get, path: "/v1/sessions?x=rk_admin_secret", status: 400, code: "token_in_url"),
        Refusal(
            method: .get, path: "/v1/sessions?" + String(repeating: "a", count: 9000), status: 414, code: "uri_too_long"
        ),
        Refusal(method: .get, path: "/ws/00000000-0000-0000-0000-000000000001", status: 426, code: "upgrade_required"),
        Refusal(method: .get, path: "/v1/events?ticket=tk_x", status: 401, code: "bad_ticket", role: nil),
        Refusal(method: .post, path: "/v1/tokens", body: "{}", status: 422, code: "invalid"),
        Refusal(method: .post, path: "/v1/tokens", body: #"{"role":"king"}"#, status: 422, code: "invalid"),
        Refusal(method: .delete, path: "/v1/tokens/none", status: 404, code: "not_found"),
        Refusal(
            method: .post, path: "/v1/auth/login", body: #"{"token":"x"}"#, status: 401, code: "bad_token", role: nil),
        Refusal(method: .post, path: "/v1/auth/login", body: "{}", status: 422, code: "invalid", role: nil),
        Refusal(method: .post, path: "/api/x/input", body: "{", status: 400, code: "bad_json"),
        Refusal(method: .post, path: "/api/x/input", body: "{}", status: 422, code: "invalid"),
        Refusal(
            method: .post, path: "/api/x/input", body: #"{"type":"bytes_input","input":"a"}"#, status: 422,
            code: "invalid"),
        Refusal(
            method: .post, path: "/api/x/input", body: #"{"type":"bytes_input","input":[256]}"#, status: 422,
            code: "invalid"),
        Refusal(
            method: .post, path: "/api/x/input", body: #"{"type":"cancel"}"#, status: 415,
            code: "unsupported_media_type", type: "text/plain"),
    ])
    func refusesWithAProblem(refusal: Refusal) async throws {
        try await RouteFixture().run { client, _ in
            var headers: HTTPFields = refusal.role.map { RouteFixture.bearer($0) } ?? [:]
            headers[.contentType] = refusal.type
            let response = try await client.executeRequest(
                uri: refusal.path, method: refusal.method, headers: headers,
                body: refusal.body.map { ByteBuffer(string: $0) })
            #expect(response.status.code == refusal.status)
            #expect(response.headers[.contentType] == "application/problem+json")
            let problem = try RouteFixture.json(response)
            #expect(problem["code"]?.string == refusal.code)
            #expect(problem["status"]?.integer == Int64(refusal.status))
            #expect(problem["detail"]?.string?.isEmpty == false)
            #expect(problem["title"]?.string?.isEmpty == false)
        }
    }

    @Test func namesThePlaceOfBadJSONAndTheUnknownField() async throws {
        try await RouteFixture().run { client, _ in
            let bad = try await client.executeRequest(
                uri: "/v1/sessions", method: .post, headers: RouteFixture.bearer(),
                body: ByteBuffer(string: "{\n \"name\": x}")
            )
            #expect(try RouteFixture.json(bad)["line"] == 2)
            #expect(try RouteFixture.json(bad)["column"] == 10)
            let unknown = try await client.executeRequest(
                uri: "/v1/sessions", method: .post, headers: RouteFixture.bearer(),
                body: ByteBuffer(string: #"{"nmae":1}"#))
            #expect(try RouteFixture.json(unknown)["field"] == "nmae")
            let wrong = try await client.executeRequest(
                uri: "/v1/sessions", method: .put, headers: RouteFixture.bearer(), body: nil)
            #expect(wrong.headers[.allow] == "GET, POST")
        }
    }

    @Test func aFailedLaunchSaysWhichStepAndWhatToDo() async throws {
        let fixture = RouteFixture()
        await fixture.sessions.fail(
            with: SupervisorError(
                .launchFailed, "the session did not start",
                launchFailure: LaunchFailure(step: "clone", errno: 1, message: "m", remedy: "enable user namespaces")))
        try await fixture.run { client, sessions in
            let response = try await client.executeRequest(
                uri: "/v1/sessions", method: .post, headers: RouteFixture.bearer(), body: nil)
            #expect(response.status.code == 503)
            let problem = try RouteFixture.json(response)
            #expect(problem["code"] == "launch_failed")
            #expect(problem["step"] == "clone")
            #expect(problem["errno"] == 1)
            #expect(problem["remedy"] == "enable user namespaces")
            await sessions.fail(with: SupervisorError(.full, "the box is full", retryAfterSeconds: 7))
            let full = try await client.executeRequest(
                uri: "/v1/sessions", method: .post, headers: RouteFixture.bearer(), body: nil)
            #expect(full.status.code == 503)
            #expect(full.headers[HTTPField.Name("Retry-After")!] == "7")
        }
    }

    @Test func inputIsAcceptedWithItsSequenceNumber() async throws {
        try await RouteFixture().run { client, sessions in
            let id = await sessions.add()
            let response = try await client.executeRequest(
                uri: "/v1/sessions/\(id)/input", method: .post, headers: RouteFixture.bearer(.user),
                body: ByteBuffer(string: #"{"text":"hi\n","client_id":"c"}"#))
            #expect(response.status == .accepted)
            #expect(try RouteFixture.json(response) == ["seq": 42])
            #expect(await sessions.calls == ["input hi\n c true"])
        }
    }

    @Test func theScreenComesInThreeForms() async throws {
        try await RouteFixture().run { client, sessions in
            let id = await sessions.add()
            for format in ["text", "ansi"] {
                let screen = try await client.executeRequest(
                    uri: "/v1/sessions/\(id)/screen?format=\(format)", method: .get,
                    headers: RouteFixture.bearer(.viewer),
                    body: nil)
                #expect(screen.headers[.contentType] == "text/plain; charset=utf-8")
                #expect(String(buffer: screen.body) == "one\ntwo")
            }
            let screen = try await client.executeRequest(
                uri: "/v1/sessions/\(id)/screen?format=json", method: .get, headers: RouteFixture.bearer(.viewer),
                body: nil)
            #expect(try RouteFixture.json(screen)["lines"] == ["one", "two"])
            let bad = try await client.executeRequest(
                uri: "/v1/sessions/\(id)/screen?format=gif", method: .get, headers: RouteFixture.bearer(.viewer),
                body: nil)
            #expect(bad.status.code == 422)
        }
    }

    @Test func lifecycleCallsReachTheSupervisor() async throws {
        try await RouteFixture().run { client, sessions in
            let id = await sessions.add()
            for (path, lifecycle) in [("park", "parked"), ("resume", "running"), ("stop", "stopped")] {
                let response = try await client.executeRequest(
                    uri: "/v1/sessions/\(id)/\(path)", method: .post, headers: RouteFixture.bearer(.user), body: nil)
                #expect(response.status == .ok)
                #expect(try RouteFixture.json(response)["lifecycle"]?.string == lifecycle)
            }
            let interrupted = try await client.executeRequest(
                uri: "/v1/sessions/\(id)/interrupt", method: .post, headers: RouteFixture.bearer(.user), body: nil)
            #expect(interrupted.status == .noContent)
            let renamed = try await client.executeRequest(
                uri: "/v1/sessions/\(id)", method: .patch, headers: RouteFixture.bearer(.user),
                body: ByteBuffer(string: #"{"name":"new"}"#))
            #expect(try RouteFixture.json(renamed)["name"] == "new")
            let null = try await client.executeRequest(
                uri: "/v1/sessions/\(id)", method: .patch, headers: RouteFixture.bearer(.user),
                body: ByteBuffer(string: #"{"name":null}"#))
            #expect(null.status.code == 422)
            let gone = try await client.executeRequest(
                uri: "/v1/sessions/\(id)?keep_workspace=true", method: .delete, headers: RouteFixture.bearer(.user),
                body: nil)
            #expect(gone.status == .noContent)
            #expect(await sessions.calls.last == "delete true")
        }
    }

    @Test func aLoginIsACookieThatEndsWithItsToken() async throws {
        let fixture = RouteFixture()
        let tokens = fixture.tokens
        try await fixture.run { client, _ in
            let login = try await client.executeRequest(
                uri: "/v1/auth/login", method: .post, headers: [.contentType: "application/json"],
                body: ByteBuffer(string: #"{"token":"\#(FakeTokens.token(.user))"}"#))
            #expect(login.status == .ok)
            let set = try #require(login.headers[.setCookie])
            #expect(set.contains("HttpOnly") && set.contains("SameSite=Strict") && !set.contains("rk_"))
            let cookie = String(set.prefix { $0 != ";" })
            func call(_ method: HTTPRequest.Method, _ path: String, origin: String?) async throws -> TestResponse {
                var headers: HTTPFields = [.cookie: "a=b; \(cookie)", .contentType: "application/json"]
                headers[.origin] = origin
                return try await client.executeRequest(uri: path, method: method, headers: headers, body: nil)
            }
            #expect(try await call(.get, "/v1/sessions", origin: nil).status == .ok)
            #expect(try await call(.post, "/v1/sessions", origin: nil).status == .forbidden)
            #expect(try await call(.post, "/v1/sessions", origin: "http://evil.example").status == .forbidden)
            #expect(try await call(.post, "/v1/sessions", origin: "http://localhost").status == .created)
            await tokens.revoke(.user)
            #expect(try await call(.get, "/v1/sessions", origin: nil).status == .unauthorized)
        }
    }

    @Test func loggingOutEndsTheLogin() async throws {
        try await RouteFixture().run { client, _ in
            let login = try await client.executeRequest(
                uri: "/v1/auth/login", method: .post, headers: [.contentType: "application/json"],
                body: ByteBuffer(string: #"{"token":"\#(FakeTokens.token(.user))"}"#))
            let cookie = String(try #require(login.headers[.setCookie]).prefix { $0 != ";" })
            let out = try await client.executeRequest(
                uri: "/v1/auth/logout", method: .post, headers: [.cookie: cookie, .origin: "http://localhost"],
                body: nil)
            #expect(out.status == .noContent)
            #expect(out.headers[.setCookie]?.contains("Max-Age=0") == true)
            let after = try await client.executeRequest(
                uri: "/v1/sessions", method: .get, headers: [.cookie: cookie], body: nil)
            #expect(after.status == .unauthorized)
        }
    }

    @Test func withoutAuthenticationThePageOfAnotherSiteIsStillRefused() async throws {
        var fixture = RouteFixture()
        fixture.mode = .none(ServerFixture.admin)
        try await fixture.run { client, _ in
            let fine = try await client.executeRequest(uri: "/v1/sessions", method: .post, headers: [:], body: nil)
            #expect(fine.status == .created)
            let foreign = try await client.executeRequest(
                uri: "/v1/sessions", method: .post, headers: [.origin: "http://evil.example"], body: nil)
            #expect(foreign.status == .forbidden)
            let login = try await client.executeRequest(
                uri: "/v1/auth/login", method: .post, headers: [.contentType: "application/json"],
                body: ByteBuffer(string: #"{"token":"whatever"}"#))
            #expect(login.status == .ok)
        }
    }

    @Test func serviceRoutesNeedNoToken() async throws {
        let fixture = RouteFixture()
        try await fixture.run { client, sessions in
            let health = try await client.executeRequest(uri: "/healthz", method: .get, headers: [:], body: nil)
            #expect(try RouteFixture.json(health) == ["status": "ok"])
            let ready = try await client.executeRequest(uri: "/readyz", method: .get, headers: [:], body: nil)
            #expect(ready.status == .ok)
            await sessions.fail(with: SupervisorError(.unavailable, "no launcher"))
            let unready = try await client.executeRequest(uri: "/readyz", method: .get, headers: [:], body: nil)
            #expect(unready.status.code == 503)
            await sessions.fail(with: nil)
            _ = await sessions.add()
            let anonymous = try await client.executeRequest(uri: "/", method: .get, headers: [:], body: nil)
            #expect(try RouteFixture.json(anonymous) == ["status": "ok"])
            let known = try await client.executeRequest(
                uri: "/", method: .get, headers: RouteFixture.bearer(), body: nil)
            #expect(try RouteFixture.json(known) == ["status": "ok", "sessions": 1])
            let head = try await client.executeRequest(uri: "/healthz", method: .head, headers: [:], body: nil)
            #expect(head.status == .ok && head.body.readableBytes == 0)
        }
    }

    @Test func echokitByREST() async throws {
        try await RouteFixture().run { client, sessions in
            let id = SessionID()
            func post(_ id: String, _ body: String) async throws -> JSONValue {
                let response = try await client.executeRequest(
                    uri: "/api/\(id)/input", method: .post, headers: RouteFixture.bearer(.user),
                    body: ByteBuffer(string: body))
                #expect(response.status == .ok)
                return try RouteFixture.json(response)
            }
            #expect(
                try await post("\(id)", #"{"type":"get_current_state"}"#)
                    == ["type": "session_error", "session_id": .string("\(id)"), "error_code": "session_not_found"])
            #expect(await sessions.records[id] == nil)
            #expect(try await post("\(id)", #"{"type":"Input","input":"x","extra":1}"#)["type"] == "session_state")
            #expect(await sessions.records[id] != nil)
            _ = try await sessions.stop(id, by: ServerFixture.admin)
            #expect(try await post("\(id)", #"{"type":"create_session"}"#)["type"] == "session_state")
            let bad = try await post("not-a-uuid", #"{"type":"create_session"}"#)
            #expect(bad["error_code"] == "invalid_input")
            #expect(bad["error_message"]?.string?.hasPrefix("Invalid UUID format: ") == true)
            await sessions.fail(with: SupervisorError(.full, "full"))
            #expect(try await post("\(SessionID())", #"{"type":"confirm"}"#)["error_code"] == "internal_error")
            #expect(try await post("\(SessionID())", #"{"type":"select","index":1}"#)["error_message"] == "full")
        }
    }
}
