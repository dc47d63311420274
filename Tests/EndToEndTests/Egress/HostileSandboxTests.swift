import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// A session that tries everything, and another beside it that must not notice.
@Suite(.serialized, .timeLimit(.minutes(6)), .enabled(if: Programs.isRoot, "gives the supervisor a hosts file"))
struct HostileSandboxTests {
    /// Where names lead that nobody should follow.
    private static let names = """
        127.0.0.1 localhost loopback.example
        ::1 six.example
        ::ffff:192.168.0.1 mapped.example
        169.254.169.254 metadata.example
        fd00:ec2::254 metadata6.example
        10.0.0.8 private.example

        """

    @Test(arguments: [
        "egress: {mode: list, allow: [pypi.example, 'deb.example:80']}\n",
        // Where only the checks behind the list are in the way.
        "egress: {mode: open}\n",
    ])
    func nothingGetsThroughAndNobodyElseIsSlowed(policy: String) async throws {
        let hosts = ["pypi.example", "deb.example", "evil.example"]
        try await EgressSite.with(policies: ["team": policy], hosts: hosts, names: Self.names) { site in
            try "fine".write(to: site.directory.appending(path: "www/fine"), atomically: true, encoding: .utf8)
            let neighbour = try await site.session(policy: "team")
            let id = try await site.session(policy: "team")
            try site.copy(
                Programs.packageRoot.appending(path: "Tests/EndToEndTests/Egress/hostile.py"), to: "hostile.py", of: id)
            let before = try await times(of: neighbour, at: site)
            let attack = try site.begin("python3 hostile.py \(id) \(neighbour)", in: id)
            var during: [Double] = []
            while !FileManager.default.fileExists(atPath: attack + ".status") {
                during += try await times(of: neighbour, at: site)
                try #require(during.count < 10_000)
            }
            let (status, output) = try await site.end(of: attack, within: .seconds(10))
            #expect(status == 0, "\(output.suffix(2000))")
            check(try Self.answers(output), isOpen: policy.contains("open"))
            // Most of the time not at all, and never for long.
            let (usual, slowed) = (before.sorted()[before.count / 2], during.sorted()[during.count / 2])
            #expect(slowed < 5 * usual + 0.1, "\(usual) s before, \(slowed) s meanwhile")
            #expect(during.max() ?? 0 < 5, "\(during)")

            #expect(!site.requests.contains("/smuggled"), "\(site.requests)")
            #expect(!site.requests.contains("evil.example"))
            let seen = try await site.rookery.api.get("/v1/sessions/\(neighbour)/egress").json
            #expect(seen["refusals"]?.array?.isEmpty == true, "\(seen)")
            let requests =
                try await site.rookery.api.get("/v1/sessions/\(neighbour)/requests").json["items"]?.array ?? []
            #expect(requests.allSatisfy { $0["status"]?.integer == 200 }, "\(requests)")
        }
    }

    /// Seconds for answers from a host and from the model's API.
    private func times(of session: String, at site: EgressSite) async throws -> [Double] {
        let script = """
            for _ in 1 2 3 4 5; do
                curl -sS -o got --max-time 20 -w '%{time_total} ' --cacert cert.pem https://pypi.example/fine && cat got && echo
                curl -sS -o got --max-time 20 -w '%{time_total} ' -H "authorization: Bearer $ANTHROPIC_AUTH_TOKEN" \
                    $ANTHROPIC_BASE_URL/v1/models && grep -qm1 claude got && echo fine
            done
            """
        let (_, output) = try await site.execute(script, in: session, within: .seconds(120))
        let lines = output.split(separator: "\n").map { $0.split(separator: " ") }
        try #require(lines.count == 10 && lines.allSatisfy { $0.count == 2 && $0[1] == "fine" }, "\(output)")
        return lines.compactMap { Double($0[0]) }
    }

    private static func answers(_ output: String) throws -> [String: String] {
        try output.split(separator: "\n").reduce(into: [:]) { answers, line in
            let entry = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
            answers[entry["attack"] ?? ""] = entry["answer"]
        }
    }

    private func check(_ answers: [String: String], isOpen: Bool) {
        func expect(_ attack: String, _ starts: String...) {
            let answer = answers[attack] ?? "missing"
            #expect(starts.contains { answer.hasPrefix($0) }, "\(attack): \(answer)")
        }
        let inside = answers.keys.filter { $0.hasPrefix("tunnel to ") || $0.hasPrefix("request to ") }
        #expect(inside.count == 54)
        for attack in inside {
            // A name of IPv6 alone is none on a machine without it.
            expect(attack, "HTTP/1.1 400 rookery: ", "HTTP/1.1 403 rookery: ", "HTTP/1.1 502 rookery: the host")
        }
        for attack in [
            "both lengths", "two lengths", "two hosts", "folded line", "bare line feed", "space before colon",
            "header injection", "header injection in a host", "chunk with an extension",
        ] { expect(attack, "HTTP/1.1 400 rookery: ") }
        expect("huge head", "HTTP/1.1 431 rookery: ", "closed")
        expect("many fields", "HTTP/1.1 431 rookery: ")
        // The worker's own server takes it for no request at all.
        expect("another session's name", "HTTP/1.1 400", "closed")
        expect("tunnel of another host", isOpen ? "HTTP/1.1 200" : "HTTP/1.1 403 rookery: the policy 'team'")
        expect("smuggled behind a body", "HTTP/1.1 200")
        expect("not TLS", "HTTP/1.1 200")
        expect("another server's name", "alert TLSV1_UNRECOGNIZED_NAME")
        expect("no server's name", "alert TLSV1_UNRECOGNIZED_NAME")
        expect("its own server's name", "through")

        expect("model: its own placeholder", "HTTP/1.1 200")
        expect("model: another session's placeholder", "HTTP/1.1 401")
        expect("model: another session's name", "HTTP/1.1 401")
        for attack in ["path with dots", "path in code", "path with slashes", "other endpoint", "the server's own API"]
        {
            expect("model: \(attack)", "HTTP/1.1 404")
        }
        expect("model: both lengths", "HTTP/1.1 400", "closed")
        expect("model: huge head", "HTTP/1.1 4", "closed")
        expect("model: huge body", "HTTP/1.1 413")

        expect("thousands of connections", "held ")
        expect("slow drip of a head", "closed True early True")
        expect("slow drip of a first message", "closed True early True")
        expect("flood", "400 of 400 refused")
        expect("end", "end")
    }

    @Test func aNameThatLeadsElsewhereTheNextTimeLeadsNowhere() async throws {
        let hosts = ["pypi.example"]
        try await EgressSite.with(
            policies: ["team": "egress: {mode: open}\n"], hosts: hosts, names: "93.184.216.34 rebind.example\n"
        ) { site in
            let id = try await site.session(policy: "team")
            let ask = "curl -sS -v --max-time 60 https://rebind.example/"
            // Nobody is there from here, or somebody: it may be asked for in any case.
            let first = try await site.execute(ask, in: id)
            #expect(!first.output.contains("x-rookery-refused: private_address"), "\(first)")
            for address in ["127.0.0.1", "10.0.0.1", "169.254.169.254"] {
                try site.rename("\(address) rebind.example\n")
                let second = try await site.execute(ask, in: id)
                #expect(second.output.contains("x-rookery-refused: private_address"), "\(address): \(second)")
            }
        }
    }
}
