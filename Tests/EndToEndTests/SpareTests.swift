import EndToEndSupport
import Foundation
import Glibc
import SessionCore
import Testing

/// Spares: the real Claude Code, started before its session is known, in the real sandbox.
@Suite(.serialized, .timeLimit(.minutes(15))) struct SpareTests {
    private static let warm: JSONValue = ["kind": "structured", "policy": "warm"]
    private static let rules = "spares: {count: 1}\nallowed_tools: [Bash]\n"

    /// An installation whose policy `warm` has spares.
    private func with(
        _ rules: String = Self.rules, arguments: [String] = [], _ body: (Rookery) async throws -> Void
    ) async throws {
        try await Rookery.with(RookeryOptions(arguments: arguments, policies: ["warm": rules]), body)
    }

    private func report(_ rookery: Rookery) async throws -> JSONValue {
        let answer = try await rookery.api.get("/v1/spares")
        #expect(answer.status == 200, "\(answer.text)")
        return answer.json
    }

    /// Waits until as many spares are ready, and gives their ids.
    @discardableResult
    private func spares(_ rookery: Rookery, _ count: Int = 1) async throws -> [String] {
        var last = JSONValue.null
        do {
            try await eventually("\(count) spares", within: .seconds(150)) {
                last = try await report(rookery)
                let ready = last["pools"]?.array?.reduce(0) { $0 + ($1["ready"]?.integer ?? 0) }
                return ready == Int64(count) ? true : nil
            }
        } catch let error as TimedOut { throw TimedOut(what: "\(error.what): \(last)") }
        let known = Set(try await rookery.api.sessions().compactMap { $0["id"]?.string })
        let running =
            (try? FileManager.default.contentsOfDirectory(atPath: "\(rookery.runtimeDirectory)/w")) ?? []
        let found = running.filter { !known.contains($0) }
        for id in found { rookery.created.add(id) }
        #expect(found.count == count)
        return found
    }

    /// Has a session run a command, and gives what it printed; what is random or the session's own is left out.
    private func output(_ rookery: Rookery, _ id: String, _ command: String) async throws -> String {
        let client = try await StreamClient(rookery.api, id)
        let prompt = try await client.prompt("BASH \(command)")
        let end = try await client.end(of: prompt)
        #expect(end["outcome"] == "completed", "\(end)")
        let told = try await client.event(.toolCompleted)
        await client.close()
        let text = told["output"]?.string ?? "\(told)"
        return text.replacing(id, with: "ID").split(separator: "\n")
            .filter { !$0.hasPrefix("CLAUDE_CODE_MESSAGING_TOKEN=") }.joined(separator: "\n")
    }

    private static let inventory =
        "env | sort; id; pwd; ulimit -a; hostname; ls -la /workspace | tail -n +2 | wc -l; "
        + "grep -E 'Cap|NoNewPrivs|Seccomp' /proc/self/status; cut -d: -f2 /proc/self/cgroup; "
        + "cat /etc/claude-code/managed-settings.json; tr '\\0' ' ' < /proc/$PPID/cmdline; df -k /workspace | wc -l"

    @Test func aSessionFromASpareIsAsOneThatStartedCold() async throws {
        try await with { rookery in
            let api = rookery.api
            let cold = try await api.create(Self.warm)
            let spare = try #require(try await spares(rookery).first)
            // Nobody can reach what is nobody's.
            #expect(try await api.get("/v1/sessions/\(spare)").status == 404)
            let id = try await api.create(Self.warm)
            #expect(id == spare)
            #expect(rookery.log(about: id).contains("session has a spare"))

            let (first, second) = (
                try await output(rookery, cold, Self.inventory), try await output(rookery, id, Self.inventory)
            )
            #expect(first.contains("uid=") && first.contains("ANTHROPIC_AUTH_TOKEN=rookery-session-ID"), "\(first)")
            // That it waited is in the arguments, and nowhere else.
            #expect(second.replacing(" --await-claim", with: "") == first)

            let (one, other) = (try await told(rookery, cold), try await told(rookery, id))
            #expect(one.types == other.types)
            #expect(one.limits == other.limits)
            let (cold1, warm1) = (try await api.session(cold), try await api.session(id))
            for key in ["kind", "lifecycle", "policy", "image", "incarnation", "permission_mode", "limits", "model"] {
                #expect(cold1[key] == warm1[key], "\(key)")
            }
            #expect(
                try String(contentsOfFile: "\(rookery.stateDirectory)/manifests/\(id).json", encoding: .utf8).contains(
                    id))

            let metrics = try await api.get("/metrics").text
            #expect(metrics.contains("rookery_spares_asked_total{start=\"spare\"} 1"), "\(metrics)")
            let listed = try await EndToEndSupport.run(
                [Programs.built("rookery"), "spares", "--server", rookery.address],
                environment: ["ROOKERY_TOKEN": api.token ?? ""], logs: rookery.root)
            #expect(listed.output.contains("warm") && listed.output.contains("sessions with one 1"), "\(listed)")
        }
    }

    /// The types of a session's events in order, and its limits.
    private func told(_ rookery: Rookery, _ id: String) async throws -> (types: [String], limits: JSONValue?) {
        let events = try await rookery.api.events("/v1/sessions/\(id)/events?since=0") { events in
            events.contains { $0["type"] == "turn.completed" }
                && events.last?["type"] == "session.activity" && events.last?["data"]?["activity"] == "idle"
        }
        var types: [String] = []
        // When the test's own client is seen to have gone is chance.
        for event in events where event["type"]?.string?.hasPrefix("client.") != true {
            let type = event["type"]?.string ?? "?"
            if type != "message.delta" || types.last != type { types.append(type) }
        }
        return (types, events.first { $0["type"] == "session.limits" }?["data"])
    }

    @Test func noOtherTenantHasItAndEachHasAnotherUser() async throws {
        try await with { rookery in
            let api = rookery.api
            #expect(try await api.post("/v1/tenants", ["name": "others"]).status == 201)
            #expect(try await api.post("/v1/users", ["name": "olga", "tenant": "others"]).status == 201)
            let made = try await api.post("/v1/tokens", ["role": "user", "user": "olga", "tenant": "others"])
            var olga = api
            olga.token = try #require(made.json["token"]?.string)
            #expect(try await olga.get("/v1/spares").status == 403)

            let mine = try await api.create(Self.warm)
            let spare = try #require(try await spares(rookery).first)
            let hers = try await olga.create(Self.warm)
            #expect(hers != spare)
            try await spares(rookery, 2)
            let next = try await olga.create(Self.warm)
            #expect(next != spare)
            #expect(rookery.log(about: next).contains("session has a spare"))
            let users = [mine, spare, hers, next].compactMap { user(rookery, $0) }
            if Programs.isRoot { #expect(Set(users).count == 4, "\(users)") }
            let seen = try await output(rookery, next, "ls /workspace /home; cat /proc/*/cmdline | tr '\\0' ' '")
            #expect(!seen.contains(mine) && !seen.contains(spare), "\(seen)")
            // She has one of hers, and the other tenant's spare is its own.
            #expect(try await api.create(Self.warm) == spare)
        }
    }

    /// The host's user that a session's Claude Code is.
    private func user(_ rookery: Rookery, _ id: String) -> UInt32? {
        for process in rookery.processes(of: id) where process.command.contains("--session-id") {
            var status = stat()
            if stat("/proc/\(process.pid)", &status) == 0 { return status.st_uid }
        }
        return nil
    }

    @Test func itIsParkedResumedAndAdoptedAsAnyOther() async throws {
        try await with { rookery in
            let api = rookery.api
            _ = try await api.create(Self.warm)
            let spare = try #require(try await spares(rookery).first)
            var body = Self.warm
            if case .object(var members) = body {
                members["prompt"] = "SAY the word is heron"
                members["name"] = "from-a-spare"
                body = .object(members)
            }
            let id = try await api.create(body)
            #expect(id == spare)
            let client = try await StreamClient(api, id)
            _ = try await client.event(.messageAssistant) { $0["text"] == "the word is heron" }
            try await api.waitFor(id, activity: .idle)
            await client.close()
            #expect(try await api.post("/v1/sessions/\(id)/park").status == 200)
            try await api.waitFor(id, lifecycle: .parked)
            #expect(try await api.post("/v1/sessions/\(id)/resume").status == 200)
            #expect(try await api.session(id)["incarnation"]?.integer == 2)
            let again = try await StreamClient(api, id)
            let prompt = try await again.prompt("RECALL")
            #expect(try await again.end(of: prompt)["message"]?.string?.contains("heron") == true)
            await again.close()

            // One that runs from a spare goes on under another supervisor.
            try await spares(rookery)
            let next = try await api.create(Self.warm)
            let worker = rookery.worker(of: next)
            await rookery.endSupervisor(signal: SIGKILL)
            try await rookery.restartIfDead()
            #expect(rookery.worker(of: next) == worker)
            #expect(try await rookery.api.session(next)["incarnation"]?.integer == 1)
            #expect(try await output(rookery, next, "echo still-$((40+2))").contains("still-42"))
        }
    }

    @Test func killedProcessesLeaveNoSpareBehind() async throws {
        try await with("spares: {count: 2}\n") { rookery in
            let api = rookery.api
            let id = try await api.create(Self.warm)
            let both = try await spares(rookery, 2)
            // Its worker, or the program that waits in it.
            kill(try #require(rookery.worker(of: both[0])), SIGKILL)
            let program = rookery.processes(of: both[1]).first { $0.command.contains("--await-claim") }
            kill(try #require(program).pid, SIGKILL)
            for spare in both { try await gone(rookery, spare, withFiles: true) }
            let others = try await spares(rookery, 2)
            #expect(Set(others).isDisjoint(with: both))

            await rookery.endSupervisor(signal: SIGKILL)
            // Without any supervisor there is none that runs; the next one removes the rest.
            for spare in others { try await gone(rookery, spare, withFiles: false) }
            try await rookery.restartIfDead()
            for spare in others { try await gone(rookery, spare, withFiles: true) }
            #expect(try await rookery.api.session(id)["lifecycle"] == "running")
            #expect(try await report(rookery)["pools"]?.array == [])
            let recovery = try await rookery.api.get("/v1/recovery").json
            #expect(recovery["unowned"]?.array ?? [] == [], "\(recovery)")
        }
    }

    private func gone(_ rookery: Rookery, _ id: String, withFiles: Bool) async throws {
        try await eventually("spare \(id) to be gone", within: .seconds(60)) { () -> Bool? in
            guard rookery.processes(of: id).isEmpty else { return nil }
            let left = rookery.leftovers().filter { $0.contains(id) }
            return !withFiles || left.isEmpty ? true : nil
        }
    }

    @Test func aClaudeCodeOfAnotherVersionStartsCold() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "rk-cli-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let real = URL(fileURLWithPath: Programs.claude).resolvingSymlinksInPath()
        let program = folder.appending(path: "claude")
        // It waits and says another version; started cold, it is the real one.
        try """
        #!/bin/sh
        for word; do
            [ "$word" = --await-claim ] || continue
            read -r line
            id=$(printf '%s' "$line" | sed 's/.*"request_id":"\\([^"]*\\)".*/\\1/')
            printf '{"type":"control_response","response":{"subtype":"success","request_id":"%s","response":{"version":"9.9.9"}}}\\n' "$id"
            exec cat >/dev/null
        done
        exec /opt/real/claude "$@"
        """.write(to: program, atomically: true, encoding: .utf8)
        chmod(program.path, 0o755)
        let mount = "mounts: [{source: \(real.deletingLastPathComponent().path), target: /opt/real}]\n"
        try await with(Self.rules + mount, arguments: ["--claude-binary", program.path]) { rookery in
            let first = try await rookery.api.create(Self.warm)
            #expect(try await output(rookery, first, "echo cold-$((40+2))").contains("cold-42"))
            try await eventually("the fault to be told", within: .seconds(90)) {
                let fault = try await report(rookery)["pools"]?.array?.first?["fault"]?.string
                return fault?.contains("9.9.9") == true ? true : nil
            }
            #expect(rookery.supervisor?.errorText.contains("no spare can be made: sessions start cold") == true)
            let second = try await rookery.api.create(Self.warm)
            #expect(try await output(rookery, second, "echo cold-$((40+2))").contains("cold-42"))
            #expect(try await report(rookery)["made"]?.integer == 0)
        }
    }
}
