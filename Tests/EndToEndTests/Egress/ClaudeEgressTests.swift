import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// The real Claude Code, with a proxy in its environment.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ClaudeEgressTests {
    @Test func claudeAsksItsModelDirectlyAndItsToolsGoByTheProxy() async throws {
        let policy = "egress: {mode: list, allow: ['deb.example:80']}\n"
        try await EgressSite.with(
            policies: ["team": policy], hosts: ["deb.example", "evil.example"], runsScripts: false
        ) { site in
            try "a package list".write(
                to: site.directory.appending(path: "www/Packages"), atomically: true, encoding: .utf8)
            let api = site.rookery.api
            let id = try await api.create(["policy": "team", "kind": "structured"])
            let client = try await StreamClient(api, id)

            let fetch =
                "curl -sS http://deb.example/Packages; curl -sS http://evil.example/; echo $HTTP_PROXY $NO_PROXY"
            let prompt = try await client.prompt("BASH \(fetch)")
            let asked = try await client.event(.permissionRequested)
            let permission = try #require(asked["id"]?.string)
            let answer = try await api.post("/v1/sessions/\(id)/permissions/\(permission)", ["decision": "allow"])
            #expect(answer.status == 200, "\(answer.text)")
            #expect(try await client.end(of: prompt)["outcome"] == "completed")
            let output = await client.events(.toolCompleted).first?["output"]?.string ?? "-"
            #expect(output.contains("a package list"), "\(output)")
            #expect(output.contains("the policy 'team' does not let this session connect to evil.example:80"))
            #expect(output.contains("http://127.0.0.1:3128 127.0.0.1,localhost,::1"))
            await client.close()

            // The turn's requests came to the gateway as what they are, and none of them by the proxy.
            let requests = try await api.get("/v1/sessions/\(id)/requests").json["items"]?.array ?? []
            let messages = requests.filter { $0["path"]?.string == "/v1/messages" && $0["status"]?.integer == 200 }
            #expect(messages.count >= 2, "\(requests)")
            try await eventually("one connection in the account") {
                let days = try await api.get("/v1/sessions/\(id)/egress").json["days"]?.array ?? []
                return days.first?["connections"]?.integer == 1 ? true : nil
            }
            let refusals = try await api.get("/v1/sessions/\(id)/egress").json["refusals"]?.array ?? []
            #expect(refusals.map { $0["target"]?.string } == ["evil.example:80"], "\(refusals)")
        }
    }
}
