import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// Forks of sessions of the real Claude Code.
@Suite(.serialized) struct ForkTests {
    @Test func aForkRemembersWhatWasSaidAndTheOtherNeverLearnsWhatTheForkIsTold() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let parent = try await api.create(["kind": "structured", "name": "tree"])
            let client = try await StreamClient(api, parent)
            _ = try await client.end(of: try await client.prompt("SAY tangerine"))
            try await api.waitFor(parent, activity: .idle)
            try Data("theirs".utf8).write(to: URL(filePath: rookery.path("/workspace/notes", of: parent)))
            let before = try await api.session(parent)

            let made = try await api.post("/v1/sessions/\(parent)/fork", ["name": "branch"])
            #expect(made.status == 201, "\(made.text)")
            let fork = try #require(made.json["id"]?.string)
            rookery.created.add(fork)
            #expect(made.json["forked_from"]?.string == parent)
            #expect(made.json["labels"]?["rookery/forked-from"]?.string == parent)
            let branch = try await StreamClient(api, fork, since: 0)
            let told = try await branch.event(.sessionForked)
            #expect(told["from"]?.string == parent)
            #expect(told["files"]?.integer ?? 0 > 1)
            #expect(told["at_rest"] == true, "it stood still meanwhile: \(told)")
            #expect(try recall(in: try await said(branch, "RECALL")).contains("tangerine"))
            #expect(try String(contentsOfFile: rookery.path("/workspace/notes", of: fork), encoding: .utf8) == "theirs")
            _ = try await said(branch, "SAY pomelo")
            try Data("mine".utf8).write(to: URL(filePath: rookery.path("/workspace/notes", of: fork)))

            // The other goes on as if nothing had been.
            let after = try await api.session(parent)
            #expect(after["incarnation"] == before["incarnation"] && after["lifecycle"] == "running")
            #expect(after["forked_from"] == .null)
            #expect(await client.events(.sessionForked).isEmpty)
            let recalled = try recall(in: try await said(client, "RECALL"))
            #expect(recalled.contains("tangerine") && !recalled.contains("pomelo"), "\(recalled)")
            #expect(
                try String(contentsOfFile: rookery.path("/workspace/notes", of: parent), encoding: .utf8) == "theirs")

            // Parked and back, the fork has a conversation of its own; forked again, from where it is parked.
            await branch.close()
            #expect(try await api.post("/v1/sessions/\(fork)/park").status == 200)
            let shell = try await CommandLineTests.rookery(rookery, "fork", "branch", "--name", "twig")
            #expect(shell.status == 0, "\(shell.errors)")
            let twig = shell.output.trimmingCharacters(in: .whitespacesAndNewlines)
            rookery.created.add(twig)
            #expect(try await api.session(fork)["lifecycle"] == "parked")
            #expect(try await api.post("/v1/sessions/\(fork)/resume").status == 200)
            for id in [fork, twig] {
                let session = try await StreamClient(api, id)
                let all = try recall(in: try await said(session, "RECALL"))
                #expect(all.contains("tangerine") && all.contains("pomelo"), "\(id): \(all)")
                await session.close()
            }
            await client.close()
        }
    }

    @Test func aTerminalSessionIsForkedAndBothGoOn() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let parent = try await api.create()
            try await api.waitForScreen(parent, containing: "❯")
            try await api.input(parent, "SAY tangerine")
            try await api.waitForScreen(parent, containing: "● tangerine")
            try await api.waitFor(parent, activity: .idle)
            let made = try await api.post("/v1/sessions/\(parent)/fork")
            #expect(made.status == 201, "\(made.text)")
            let fork = try #require(made.json["id"]?.string)
            rookery.created.add(fork)
            #expect(made.json["kind"] == "terminal")
            // It shows what was said, and knows it.
            try await api.waitForScreen(fork, containing: "● tangerine")
            try await api.waitFor(fork, activity: .idle)
            try await api.input(fork, "SAY pomelo")
            try await api.waitForScreen(fork, containing: "● pomelo")
            try await api.waitFor(fork, activity: .idle)
            try await api.input(fork, "RECALL")
            try await api.waitForScreen(fork, containing: "2. SAY pomelo")
            try await api.input(parent, "RECALL")
            try await api.waitForScreen(parent, containing: "1. SAY tangerine")
            #expect(try await !api.screen(parent).contains("pomelo"))
            // Back from where it is parked, by its own id.
            #expect(try await api.post("/v1/sessions/\(fork)/park").status == 200)
            #expect(try await api.post("/v1/sessions/\(fork)/resume").status == 200)
            try await api.waitForScreen(fork, containing: "● pomelo")
        }
    }

    @Test(.enabled(if: Programs.isRoot, "rootless there is no cgroup of its own to freeze"))
    func theOtherGoesOnThoughTheLauncherIsKilledWhileItCopies() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let parent = try await api.create(["kind": "structured"])
            let client = try await StreamClient(api, parent)
            _ = try await said(client, "SAY tangerine")
            try await api.waitFor(parent, activity: .idle)
            // For the copy to take a while.
            try Data(repeating: 7, count: 200 << 20).write(
                to: URL(filePath: rookery.path("/workspace/large", of: parent)))
            let launcher = try #require(
                rookery.processes().first {
                    let words = $0.command.split(separator: "\0")
                    return words.first?.hasSuffix("/rookery-launcher") == true && words.contains("--guarded")
                })
            async let made = api.post("/v1/sessions/\(parent)/fork")
            try await eventually("the other stands still") { Self.isFrozen(parent, rookery) ? true : nil }
            kill(launcher.pid, SIGKILL)
            try await eventually("the other goes on") { Self.isFrozen(parent, rookery) ? nil : true }
            let answer = try await made
            #expect(answer.status >= 500, "\(answer.text)")
            #expect(try await said(client, "SAY pomelo")["message"]?.string == "pomelo")
            await client.close()
        }
    }

    /// Whether the kernel says so of a session's cgroup.
    private static func isFrozen(_ id: String, _ rookery: Rookery) -> Bool {
        rookery.processes(of: id).contains { process in
            let lines = (try? String(contentsOfFile: "/proc/\(process.pid)/cgroup", encoding: .utf8)) ?? ""
            return lines.split(separator: "\n").contains { line in
                let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
                guard parts.count == 3, parts[2].contains(id) else { return false }
                let file =
                    parts[1] == "freezer"
                    ? "/sys/fs/cgroup/freezer\(parts[2])/freezer.state" : "/sys/fs/cgroup\(parts[2])/cgroup.events"
                let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
                return text.hasPrefix("FROZEN") || text.contains("frozen 1")
            }
        }
    }

    @Test func whatRunsIsNotForked() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(["kind": "structured"])
            let client = try await StreamClient(api, id)
            let prompt = try await client.prompt("DRIP 100 0.3")
            _ = try await client.event(.messageDelta)
            let busy = try await api.post("/v1/sessions/\(id)/fork")
            #expect(busy.status == 409 && busy.json["detail"]?.string?.contains("not idle") == true, "\(busy.text)")
            try await client.command(.interrupt)
            _ = try await client.end(of: prompt)
            #expect(try await api.post("/v1/sessions/\(UUID().uuidString)/fork").status == 404)
            #expect(try await api.post("/v1/sessions/\(id)/fork", ["kind": "terminal"]).status == 422)
            #expect(try await api.sessions().count == 1)
            await client.close()
        }
    }

    private func said(_ client: StreamClient, _ text: String) async throws -> JSONValue {
        try await client.end(of: try await client.prompt(text))
    }

    private func recall(in end: JSONValue) throws -> String { try #require(end["message"]?.string, "\(end)") }
}
