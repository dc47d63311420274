import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// A secret that an administrator sets, real tools in a real sandbox that never see it, and a server on loopback that does.
@Suite(.serialized, .timeLimit(.minutes(4))) struct ToolSecretTests {
    private static let policy = """
        egress:
          mode: list
          allow: [github.com, evil.example]
          secrets:
            - {host: github.com, header: authorization, secret: github}
            - {host: evil.example, header: authorization, secret: github}

        """

    private static func basic(_ token: String) -> String {
        "Basic " + Data("x-access-token:\(token)".utf8).base64EncodedString()
    }

    /// By the command line, with what the server accepts from now on.
    private static func set(_ token: String, _ options: [String], at site: EgressSite) async throws {
        let file = site.directory.appending(path: "token").path
        try (token + "\n").write(toFile: file, atomically: true, encoding: .utf8)
        let done = try await rookery(
            ["secret", "set", "github", "--basic", "x-access-token", "--secret-file", file] + options, at: site)
        #expect(done.status == 0 && done.output.isEmpty, "\(done)")
        try basic(token).write(
            toFile: site.directory.appending(path: "authorization").path, atomically: true, encoding: .utf8)
    }

    private static func rookery(
        _ words: [String], at site: EgressSite
    ) async throws -> (status: Int32, output: String) {
        let done = try await run(
            [Programs.built("rookery")] + words + [
                "--server", site.rookery.address, "--token-file", site.rookery.stateDirectory + "/admin-token",
            ], logs: site.directory)
        return (done.status, done.output)
    }

    @Test func gitPushesWithATokenThatIsRotatedBetweenPushesAndFoundNowhere() async throws {
        try await EgressSite.with(policies: ["team": Self.policy], hosts: ["github.com", "evil.example"]) { site in
            let bare = site.directory.appending(path: "git/demo.git").path
            let made = try await run(
                ["/bin/sh", "-ec", "mkdir -p \"$1\" && git init -q --bare -b main \"$1\"", "sh", bare],
                logs: site.directory)
            try #require(made.status == 0, "\(made)")
            let id = try await site.session(policy: "team")

            // Not set yet: the tool and the session's events say which one, and what to do.
            let missing = try await site.execute("curl -sS http://127.0.0.1:3128/egress/github.com/git/x", in: id)
            for part in ["secret 'github'", "is not set", "rookery secret set github --host github.com"] {
                #expect(missing.output.contains(part), "\(missing)")
            }
            let refusals = try await site.rookery.api.get("/v1/sessions/\(id)/egress").json["refusals"]?.array ?? []
            #expect(refusals.first?["reason"] == "secret")
            #expect(refusals.first?["detail"]?.string?.contains("rookery secret set github") == true, "\(refusals)")

            let tokens = (1...2).map { "tok\($0)-\(UUID().uuidString.lowercased())" }
            try await Self.set(tokens[0], ["--host", "github.com"], at: site)
            // Over a mebibyte, which git sends in chunks of unknown length.
            let first = try await site.execute(
                """
                set -e
                git init -q -b main /tmp/work
                cd /tmp/work
                git config user.name a
                git config user.email a@b
                head -c 3000000 /dev/urandom >big
                git add big
                git commit -qm first
                git remote add origin https://github.com/git/demo.git
                GIT_CURL_VERBOSE=1 git push -q origin main
                """, in: id)
            #expect(first.status == 0, "\(first)\n\(site.requests)")
            #expect(first.output.contains("/egress/github.com/git/demo.git"), "\(first)")

            try await Self.set(tokens[1], [], at: site)
            let second = try await site.execute(
                """
                set -e
                cd /tmp/work
                echo more >more
                git add more
                git commit -qm second
                GIT_CURL_VERBOSE=1 git push -q origin main
                git ls-remote origin main
                git rev-parse HEAD
                """, in: id)
            #expect(second.status == 0, "\(second)\n\(site.requests)")
            let log = try await run(["/usr/bin/git", "-C", bare, "log", "--format=%s", "main"], logs: site.directory)
            #expect(log.output == "second\nfirst\n", "\(log)")
            let sent = tokens.map(Self.basic)
            for value in sent { #expect(site.requests.contains(value)) }

            // A policy's wrong hand sends it nowhere else.
            let wrong = try await site.execute("curl -sS http://127.0.0.1:3128/egress/evil.example/x", in: id)
            #expect(wrong.output.contains("may not go there"), "\(wrong)")
            #expect(!site.requests.contains("evil.example"))

            try await findsNothing(of: tokens + sent.map { String($0.dropFirst(6)) }, of: id, at: site)
            let list = try await Self.rookery(["secret", "ls", "--output", "json"], at: site)
            #expect(list.output.contains("github.com") && list.output.contains("\"version\""), "\(list)")
            let audit = try await site.rookery.api.get("/v1/audit").text
            #expect(audit.contains("secret.set"))
            for text in tokens + sent { #expect(!list.output.contains(text) && !audit.contains(text)) }

            let row = try await site.rookery.api.get("/v1/secrets").json["items"]?.array?.first?["id"]?.integer
            let removed = try await Self.rookery(["secret", "rm", "\(try #require(row))"], at: site)
            #expect(removed.status == 0, "\(removed)")
            let gone = try await site.execute("cd /tmp/work && git push origin main", in: id)
            #expect(gone.status != 0 && gone.output.contains("403"), "\(gone)")
        }
    }

    /// Neither in the sandbox nor in anything that is written down about it, nor in the memory of what runs for it.
    private func findsNothing(of texts: [String], of id: String, at site: EgressSite) async throws {
        // Patterns that do not find themselves.
        let patterns = texts.map { "-e '\($0.prefix(6))[\($0.dropFirst(6).prefix(1))]\($0.dropFirst(7))'" }
            .joined(separator: " ")
        let inside = try await site.execute(
            """
            env | grep \(patterns) && echo in the environment
            cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep \(patterns) && echo in /proc
            grep -rl --exclude-dir=usr \(patterns) /tmp /shared /workspace "$HOME" /run /etc /var 2>/dev/null && echo in files
            echo looked
            """, in: id)
        #expect(inside.output == "looked\n", "\(inside)")

        let rookery = site.rookery
        for text in texts {
            #expect(rookery.files(with: text) == [])
            #expect(rookery.supervisor?.errorText.contains(text) == false)
        }
        let processes = rookery.processes(of: id)
        #expect(processes.count >= 2, "\(processes)")
        guard Programs.isRoot else { return }
        var seen = 0
        for process in processes {
            let memory = Self.memory(of: process.pid)
            if memory.range(of: Data(id.utf8)) != nil { seen += 1 }
            for text in texts {
                #expect(memory.range(of: Data(text.utf8)) == nil, "\(process.command) has \(text)")
            }
        }
        // The search finds what is there.
        #expect(seen >= 2, "\(processes)")
    }

    /// What a process can write of its memory, as far as it is there.
    private static func memory(of pid: Int32) -> Data {
        var found = Data()
        let maps = (try? String(contentsOfFile: "/proc/\(pid)/maps", encoding: .utf8)) ?? ""
        let descriptor = open("/proc/\(pid)/mem", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return found }
        defer { close(descriptor) }
        for line in maps.split(separator: "\n") {
            let words = line.split(separator: " ")
            let ends = words[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            guard words[1].hasPrefix("rw"), ends.count == 2 else { continue }
            let length = Int(min(ends[1] - ends[0], 64 << 20))
            var bytes = [UInt8](repeating: 0, count: length)
            let count = pread(descriptor, &bytes, length, off_t(ends[0]))
            if count > 0 { found.append(contentsOf: bytes.prefix(count)) }
        }
        return found
    }
}
