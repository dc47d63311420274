import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// The `rookery` command as a person uses it from a shell.
@Suite(.serialized) struct CommandLineTests {
    static func rookery(_ rookery: Rookery, _ words: String...) async throws -> (
        status: Int32, output: String, errors: String
    ) {
        try await run(
            [Programs.built("rookery")] + words,
            environment: ["ROOKERY_SERVER": rookery.address, "ROOKERY_TOKEN": rookery.api.token ?? ""],
            logs: rookery.root)
    }

    @Test func aSessionFromNewToResumeInAShell() async throws {
        try await Rookery.with { installation in
            let made = try await Self.rookery(installation, "new", "--name", "shell", "--output", "json")
            #expect(made.status == 0, "\(made.errors)")
            let session = try JSONDecoder().decode(JSONValue.self, from: Data(made.output.utf8))
            let id = try #require(session["id"]?.string)
            installation.created.add(id)
            #expect(try await Self.rookery(installation, "ls").output.contains("shell"))
            try await installation.api.waitForScreen(id, containing: "❯")
            #expect(try await Self.rookery(installation, "input", "shell", "SAY", "from-the-shell").status == 0)
            try await installation.api.waitForScreen(id, containing: "● from-the-shell")
            #expect(try await Self.rookery(installation, "screen", id).output.contains("from-the-shell"))
            #expect(try await Self.rookery(installation, "logs", id).output.contains("session.running"))
            #expect(try await Self.rookery(installation, "stop", "shell").status == 0)
            try await installation.api.waitFor(id, lifecycle: .stopped)
            #expect(try await Self.rookery(installation, "resume", String(id.prefix(8))).status == 0)
            try await installation.api.waitFor(id, lifecycle: .running)
            #expect(try await Self.rookery(installation, "rm", id).status == 0)
            #expect(try await installation.api.get("/v1/sessions/\(id)").status == 404)
        }
    }

    @Test func exitCodesTellWhatWentWrong() async throws {
        try await Rookery.with { installation in
            let unknown = try await Self.rookery(installation, "stop", "11111111-2222-4333-8444-555555555555")
            #expect(unknown.status == 1)
            #expect(unknown.errors.contains("11111111-2222-4333-8444-555555555555"))
            #expect(try await Self.rookery(installation, "stop").status == 2)
            #expect(try await Self.rookery(installation, "ls", "--server", "http://127.0.0.1:9").status == 3)
        }
    }

    @Test func tokensAreMadeListedAndRevoked() async throws {
        try await Rookery.with { installation in
            let made = try await Self.rookery(
                installation, "token", "create", "--role", "viewer", "--output", "json")
            let token = try JSONDecoder().decode(JSONValue.self, from: Data(made.output.utf8))
            let secret = try #require(token["token"]?.string)
            let id = try #require(token["id"]?.string)
            var viewer = installation.api
            viewer.token = secret
            #expect(try await viewer.get("/v1/sessions").status == 200)
            #expect(try await viewer.post("/v1/sessions", [:]).status == 403)
            #expect(try await Self.rookery(installation, "token", "list").output.contains(id))
            #expect(try await Self.rookery(installation, "token", "revoke", id).status == 0)
            #expect(try await viewer.get("/v1/sessions").status == 401)
        }
    }

    /// In a real terminal (tmux): attach, type, see the answer, detach, and the session goes on.
    @Test func attachIsATerminal() async throws {
        try await Rookery.with { installation in
            let id = try await installation.api.create()
            try await installation.api.waitForScreen(id, containing: "❯")
            let socket = installation.root.path + "/tmux"
            func tmux(_ words: String...) async throws -> String {
                // Process takes a program for running while anybody has the descriptors it was born with, as tmux's
                // server would: it gets none.
                let closing =
                    #"for fd in /proc/$$/fd/*; do fd=${fd##*/}; [ "$fd" -gt 2 ] && eval "exec $fd>&-"; done; "#
                return try await run(
                    ["/bin/bash", "-c", closing + #"exec /usr/bin/tmux "$@""#, "tmux", "-S", socket] + words,
                    logs: installation.root
                ).output
            }
            let attach =
                "ROOKERY_SERVER=\(installation.address) ROOKERY_TOKEN=\(installation.api.token ?? "") "
                + "\(Programs.built("rookery")) attach \(id); echo detached-with-$?; sleep 60"
            // In the foreground: as a daemon it would outlive the test and hold what Process waits for.
            let server = try RunningProgram(
                ["/usr/bin/tmux", "-S", socket, "-D"], logs: installation.root, name: "tmux")
            try await eventually("tmux's socket") { FileManager.default.fileExists(atPath: socket) ? true : nil }
            _ = try await tmux("new-session", "-d", "-x", "100", "-y", "30", attach)
            try await eventually("Claude in tmux") {
                try await tmux("capture-pane", "-p").contains("❯") ? true : nil
            }
            _ = try await tmux("send-keys", "SAY typed-in-tmux")
            try await installation.api.waitForScreen(id, containing: "SAY typed-in-tmux")
            _ = try await tmux("send-keys", "Enter")
            try await eventually("the answer in tmux") {
                try await tmux("capture-pane", "-p").contains("● typed-in-tmux") ? true : nil
            }
            _ = try await tmux("send-keys", "C-]")
            try await eventually("the attach to end") {
                try await tmux("capture-pane", "-p").contains("detached-with-0") ? true : nil
            }
            _ = try await tmux("kill-server")
            await server.end()
            #expect(try await installation.api.session(id)["lifecycle"]?.string == "running")
        }
    }

    @Test("the doctor looks at the box and into a real sandbox", arguments: Programs.isRoot ? [false, true] : [false])
    func doctor(asNobody: Bool) async throws {
        let directory = URL(fileURLWithPath: "/tmp/rk-doctor-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        if asNobody {
            try FileManager.default.setAttributes([.ownerAccountName: "nobody"], ofItemAtPath: directory.path)
        }
        let user = ["/usr/bin/setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
        let answer = try await run(
            (asNobody ? user : []) + [
                "/usr/bin/env", "TMPDIR=\(directory.path)", "HOME=\(directory.path)", Programs.built("rookery"),
                "doctor",
                "--json", "--state-dir", directory.path + "/state", "--runtime-dir", directory.path + "/run",
            ], logs: URL(fileURLWithPath: "/tmp"))
        let document = try JSONDecoder().decode(JSONValue.self, from: Data(answer.output.utf8))
        let findings = document["findings"]?.array ?? []
        func status(_ name: String) -> String? {
            findings.first { $0["name"]?.string == name }?["status"]?.string
        }
        for name in ["user namespaces", "seccomp", "system calls", "claude", "sandbox", "state directory"] {
            #expect(status(name) == "pass", "\(name): \(answer.output)")
        }
        for name in ["kernel", "landlock", "overlay", "squashfs", "cgroup memory", "disk limits", "clock", "limits"] {
            #expect(status(name) != nil, "\(name) is missing")
        }
        #expect(answer.status == (findings.contains { $0["status"]?.string == "fail" } ? 1 : 0))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
    }

    @Test func sandboxRunGivesTheCommandsExitStatus() async throws {
        let workspace = "/tmp/rk-run-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: workspace, withIntermediateDirectories: true)
        // Root's own directory is refused: the command could leave setuid programs in it.
        if Programs.isRoot { chown(workspace, 65534, 65534) }
        defer { try? FileManager.default.removeItem(atPath: workspace) }
        // No sandbox is given a directory of root's.
        if Programs.isRoot {
            try FileManager.default.setAttributes([.ownerAccountName: "nobody"], ofItemAtPath: workspace)
        }
        func sandbox(_ words: String...) async throws -> (status: Int32, output: String, errors: String) {
            try await run(
                [Programs.built("rookery"), "sandbox", "run", "--workspace", workspace, "--"] + words,
                logs: URL(fileURLWithPath: "/tmp"))
        }
        let shell = try await sandbox("/bin/sh", "-c", "echo inside; pwd; id -u; exit 7")
        #expect(shell.status == 7)
        #expect(shell.output.contains("inside"))
        #expect(shell.output.contains("/workspace"))
        #expect(shell.output.contains("1000"))
        #expect(try await sandbox("/nonexistent").status == 127)
        #expect(try await sandbox("/etc/passwd").status == 126)
    }
}
