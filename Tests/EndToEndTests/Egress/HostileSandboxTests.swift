import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// A session that tries everything, and another beside it that must not notice.
@Suite(.serialized) struct HostileSandboxTests {
    @Test func nothingGetsThroughAndNobodyElseIsSlowed() async throws {
        let policy = """
            egress:
              mode: list
              allow: [pypi.example, 'deb.example:80']

            """
        // Addresses and all the web, where only the check of addresses is in the way.
        let open = "egress: {mode: open}\n"
        let hosts = ["pypi.example", "deb.example", "evil.example"]
        try await EgressSite.with(policies: ["team": policy, "open": open], hosts: hosts) { site in
            try "fine".write(to: site.directory.appending(path: "www/fine"), atomically: true, encoding: .utf8)
            let neighbour = try await site.session(policy: "team")
            for name in ["team", "open"] {
                let id = try await site.session(policy: name)
                try site.copy(
                    Programs.packageRoot.appending(path: "Tests/EndToEndTests/Egress/hostile.py"), to: "hostile.py",
                    of: id)
                let attack = try site.begin("python3 hostile.py \(id) \(neighbour)", in: id)
                var slowest = Duration.zero
                for _ in 0..<20 {
                    let start = ContinuousClock.now
                    let fetched = try await site.execute(
                        "curl -sS --max-time 10 --cacert cert.pem https://pypi.example/fine", in: neighbour)
                    #expect(fetched.output == "fine", "\(fetched)")
                    slowest = max(slowest, ContinuousClock.now - start)
                }
                #expect(slowest < .seconds(8))
                let (status, output) = try await site.end(of: attack, within: .seconds(240))
                #expect(status == 0, "\(output.suffix(2000))")
                check(try Self.answers(output), under: name)
            }
            #expect(!site.requests.contains("/smuggled"), "\(site.requests)")
            #expect(!site.requests.contains("evil.example"))
            let seen = try await site.rookery.api.get("/v1/sessions/\(neighbour)/egress").json
            #expect(seen["refusals"]?.array?.isEmpty == true, "\(seen)")
        }
    }

    private static func answers(_ output: String) throws -> [String: String] {
        try output.split(separator: "\n").reduce(into: [:]) { answers, line in
            let entry = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
            answers[entry["attack"] ?? ""] = entry["answer"]
        }
    }

    private func check(_ answers: [String: String], under policy: String) {
        func expect(_ attack: String, _ starts: String...) {
            let answer = answers[attack] ?? "missing"
            #expect(starts.contains { answer.hasPrefix($0) }, "\(policy): \(attack): \(answer)")
        }
        for attack in answers.keys where attack.hasPrefix("literal ") || attack.hasPrefix("url ") {
            // localhost is a name: refused by where it leads, or because nobody knows it.
            expect(
                attack, "HTTP/1.1 400", "HTTP/1.1 403", attack.hasSuffix("localhost") ? "HTTP/1.1 502" : "HTTP/1.1 403")
        }
        for attack in [
            "both lengths", "two lengths", "two hosts", "folded line", "bare line feed", "space before colon",
            "header injection",
        ] { expect(attack, "HTTP/1.1 400") }
        expect("huge head", "HTTP/1.1 431", "closed")
        expect("many fields", "HTTP/1.1 431")
        expect("another session's name", "HTTP/1.1 400", "closed")
        expect("tunnel of another host", policy == "team" ? "HTTP/1.1 403" : "HTTP/1.1 200")
        expect("smuggled behind a body", "HTTP/1.1 200")
        expect("path of the model's API", "HTTP/1.1 404", "HTTP/1.1 400")
        expect("other endpoint", "HTTP/1.1 404")
        expect("not TLS", "HTTP/1.1 200")
        expect("thousands of connections", "held ")
        expect("slow drip", "closed True after True")
        expect("end", "end")
    }
}
