import Foundation
import Gateway
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

/// What a team uses, may spend and keeps: accounts, credentials, secrets, budgets, the way out.
@Suite struct TeamRouteTests {
    @Test func showsUsageByTheKeysThatAreAskedFor() async throws {
        try await RouteFixture().run { client, sessions in
            let id = await sessions.add()
            let usage = try RouteFixture.json(
                try await client.send(.get, "/v1/usage?group_by=day,model&since=2026-11-01", nil, .viewer))
            let row = try #require(usage["items"]?.array?.first)
            #expect(row["day"]?.string == "2026-11-01")
            #expect(row["cost_usd"] == .number(1.5))
            #expect(row["cache_read_tokens"]?.integer == 3)
            let own = try RouteFixture.json(try await client.send(.get, "/v1/sessions/\(id)/usage", nil, .viewer))
            #expect(own["total"]?["input_tokens"]?.integer == 25)
            #expect(own["models"]?.array?.count == 1)
            let log = try RouteFixture.json(
                try await client.send(.get, "/v1/sessions/\(id)/requests?limit=7", nil, .viewer))
            #expect(log["next_cursor"]?.string == "7")
            let one = try RouteFixture.json(
                try await client.send(
                    .get, "/v1/sessions/\(id)/requests/\(FakeUsage.request.uuidString.lowercased())", nil, .viewer))
            #expect(one["outcome"]?.string == "complete")
            #expect(one["request_body"] == ["bytes": 6, "truncated": true, "text": "gr"])
            #expect(one["response_body"] == ["bytes": 2, "truncated": false, "base64": "/wA="])
            for unknown in ["\(SessionID())", "x"] {
                #expect(
                    try await client.send(.get, "/v1/sessions/\(id)/requests/\(unknown)", nil, .viewer).status
                        == .notFound)
            }
            for bad in ["group_by=colour", "group_by=day,day", "session_id=x"] {
                #expect(try await client.send(.get, "/v1/usage?\(bad)", nil, .viewer).status == .unprocessableContent)
            }
            #expect(try await client.send(.get, "/v1/sessions/\(SessionID())/usage", nil, .viewer).status == .notFound)
            #expect(
                try await client.send(.get, "/v1/sessions/\(SessionID())/requests", nil, .viewer).status == .notFound)
            #expect(try await client.send(.get, "/metrics", nil, .admin).status == .forbidden)
            #expect(try await client.send(.get, "/metrics", nil, .operator).status == .ok)
        }
    }

    @Test func credentialsAreWrittenAndNeverShown() async throws {
        try await RouteFixture().run { client, _ in
            let secret = #"{"kind":"api_key","api_key":"very-secret"}"#
            let made = try await client.send(.put, "/v1/credentials", secret, .admin)
            #expect(made.status == .ok)
            let list = try await client.send(.get, "/v1/credentials", nil, .admin)
            for answer in [made, list] {
                let text = String(buffer: answer.body)
                #expect(!text.contains("secret") && !text.contains("sealed"), "\(text)")
            }
            #expect(try await client.send(.put, "/v1/credentials", secret, .user).status == .forbidden)
            #expect(try await client.send(.get, "/v1/credentials", nil, .user).status == .forbidden)
            for bad in [
                #"{"kind":"api_key"}"#, #"{"kind":"other"}"#, #"{"api_key":"x"}"#, #"{"kind":"bearer","token":"a b"}"#,
                #"{"kind":"oauth","token":"a","refresh_token":"b","token_url":"https://x","token_form":"xml"}"#,
            ] {
                let answer = try await client.send(.put, "/v1/credentials", bad, .admin)
                #expect(answer.status == .unprocessableContent, "\(bad)")
            }
            #expect(try await client.send(.delete, "/v1/credentials/7", nil, .admin).status == .noContent)
            #expect(try await client.send(.delete, "/v1/credentials/8", nil, .admin).status == .notFound)
            #expect(try await client.send(.delete, "/v1/credentials/x", nil, .admin).status == .notFound)
        }
    }

    @Test func secretsForToolsAreWrittenAndNeverShown() async throws {
        try await RouteFixture().run { client, _ in
            let secret = #"{"name":"git","hosts":["github.com"],"value":"Bearer very-secret"}"#
            let made = try await client.send(.put, "/v1/secrets", secret, .admin)
            #expect(made.status == .ok)
            let list = try await client.send(.get, "/v1/secrets", nil, .admin)
            for answer in [made, list] {
                let text = String(buffer: answer.body)
                #expect(text.contains("github.com") && !text.contains("secret") && !text.contains("sealed"), "\(text)")
            }
            #expect(try await client.send(.put, "/v1/secrets", secret, .user).status == .forbidden)
            #expect(try await client.send(.get, "/v1/secrets", nil, .user).status == .forbidden)
            #expect(try await client.send(.delete, "/v1/secrets/7", nil, .user).status == .forbidden)
            for bad in [
                #"{"name":"git","hosts":["github.com"]}"#, #"{"name":"git","hosts":[],"value":"very-secret"}"#,
                #"{"name":"Git","hosts":["github.com"],"value":"very-secret"}"#,
                #"{"hosts":["a"],"value":"very-secret"}"#,
                #"{"name":"git","hosts":["*.github.com"],"value":"very-secret"}"#,
                #"{"name":"git","hosts":["192.0.2.1"],"value":"very-secret"}"#,
                #"{"name":"git","hosts":"github.com","value":"very-secret"}"#,
                #"{"name":"git","hosts":["github.com"],"value":"very-secret\r\nx: y"}"#,
                #"{"name":"git","hosts":["github.com"],"value":"very-secret-\u00fc"}"#,
                #"{"name":"git","hosts":["github.com"],"value":""}"#,
                #"{"name":"git","hosts":["github.com"],"value":"\#(String(repeating: "very-secret", count: 800))"}"#,
                #"{"name":"git","hosts":["github.com"],"value":"very-secret","port":443}"#,
            ] {
                let answer = try await client.send(.put, "/v1/secrets", bad, .admin)
                #expect(answer.status == .unprocessableContent, "\(bad)")
                #expect(!String(buffer: answer.body).contains("very-secret"), "\(bad)")
            }
            for (body, field) in [
                (#"{"name":"git","hosts":["192.0.2.1"],"value":"v"}"#, "hosts"),
                (#"{"name":"Git","hosts":["github.com"],"value":"v"}"#, "name"),
                (#"{"name":"git","hosts":["github.com"],"value":"v\u0000"}"#, "value"),
            ] {
                let answer = try await client.send(.put, "/v1/secrets", body, .admin)
                #expect(try RouteFixture.json(answer)["field"]?.string == field)
            }
            #expect(try await client.send(.delete, "/v1/secrets/7", nil, .admin).status == .noContent)
            #expect(try await client.send(.delete, "/v1/secrets/8", nil, .admin).status == .notFound)
            #expect(try await client.send(.delete, "/v1/secrets/x", nil, .admin).status == .notFound)
        }
    }

    @Test func budgetsAreSetAndShown() async throws {
        try await RouteFixture().run { client, _ in
            let list = try RouteFixture.json(try await client.send(.get, "/v1/budgets", nil, .admin))
            let row = try #require(list["items"]?.array?.first)
            #expect(row["period"] == "month")
            #expect(row["current"] == "1970-01")
            #expect(row["ends_at"] == "1970-02-01T00:00:00.000Z")
            #expect(row["state"] == "warning")
            #expect(row["spent_usd"] == 4)
            let id = SessionID()
            let made = try await client.send(
                .put, "/v1/budgets", #"{"session_id":"\#(id)","period":"day","limit_usd":2.5}"#, .admin)
            #expect(made.status == .ok)
            #expect(try RouteFixture.json(made)["limit_usd"] == .number(2.5))
            #expect(try RouteFixture.json(made)["session_id"]?.string == id.description)
            #expect(try await client.send(.get, "/v1/budgets", nil, .user).status == .forbidden)
            for bad in [
                "{}", #"{"period":"day"}"#, #"{"period":"week","limit_usd":1}"#, #"{"period":"day","limit_usd":-1}"#,
                #"{"period":"day","limit_usd":"1"}"#, #"{"period":"day","limit_usd":1e30}"#,
                #"{"period":"day","limit_usd":1,"user":"a","session_id":"\#(id)"}"#,
                #"{"period":"day","limit_usd":1,"session_id":"x"}"#,
            ] {
                #expect(
                    try await client.send(.put, "/v1/budgets", bad, .admin).status == .unprocessableContent, "\(bad)")
            }
            #expect(try await client.send(.delete, "/v1/budgets/7", nil, .admin).status == .noContent)
            #expect(try await client.send(.delete, "/v1/budgets/8", nil, .admin).status == .notFound)
        }
    }

    @Test func whatIsSaidOfUpstreamsHasNoNamesOfThem() {
        let standings = [
            UpstreamHealth.Standing(upstream: "https://own", isOpen: true, failures: 7),
            UpstreamHealth.Standing(upstream: "https://secret.example", isOpen: true, failures: 5),
            UpstreamHealth.Standing(upstream: "https://other.example", isOpen: false, failures: 0),
        ]
        #expect(ModelChecks.of([], upstream: "https://own") == ["model": "ok"])
        #expect(
            ModelChecks.of(standings, upstream: "https://own") == [
                "model": "does not answer (7 requests in a row)", "model_others": "1 of 2 upstreams do not answer",
            ])
    }

    @Test func saysWhatASessionMayReachAndWhatItWasRefused() async throws {
        try await RouteFixture().run { client, _ in
            let answer = try await client.executeRequest(
                uri: "/v1/sessions/\(SessionID())/egress", method: .get, headers: RouteFixture.bearer(.viewer),
                body: nil)
            let document = try RouteFixture.json(answer)
            #expect(document["mode"] == "list")
            #expect(document["allow"] == ["pypi.org"])
            #expect(document["limits"]?["daily_bytes"]?.integer == 20 << 30)
            #expect(document["limits"]?["bandwidth_bytes"] == nil)
            #expect(document["refusals"]?.array?.first?["target"] == "evil.example:443")
            #expect(document["refusals"]?.array?.first?["count"]?.integer == 3)
        }
    }

    @Test func countersHaveEscapedLabels() {
        let row = UsageRow(tenant: "a\"b\\c\nd", model: "m", requests: 1, tokens: FakeUsage.tokens)
        let text =
            MetricsText(usage: [row], gateway: GatewayCounters().now).text + EgressMetrics(EgressCounters().now).text
        #expect(text.contains("rookery_model_tokens_total{tenant=\"a\\\"b\\\\c\\nd\",model=\"m\",kind=\"output\"} 7\n"))
        #expect(text.contains("rookery_model_cost_usd_total{tenant=\"a\\\"b\\\\c\\nd\",model=\"m\"} 1.5\n"))
        #expect(text.contains("rookery_gateway_first_byte_seconds_bucket{le=\"+Inf\"} 0\n"))
    }
}
