import Foundation
import SessionCore
import Testing

/// What a test wants different from an ordinary installation.
package struct RookeryOptions {
    package var arguments: [String] = []
    package var environment: [String: String] = [:]
    package var auth = "token"
    /// Run the supervisor as this user without privileges; nil: as the test runs.
    package var user: String?
    /// A start command in place of run_cc.sh.
    package var startCommand: String?
    /// Put the state directory here rather than into the test's own directory.
    package var stateDirectory: String?
    /// TLS on the TCP port, with a certificate made for it; the test's own requests then go through a Unix socket.
    package var tls = false
    /// The directory of the programs that run; nil: those of this build.
    package var programs: String?
    /// Its policies, by name, as their files have them; none: those of the repository.
    package var policies: [String: String] = [:]
    /// Words before the supervisor's command line.
    package var wrapper: [String] = []

    package init(
        arguments: [String] = [], environment: [String: String] = [:], auth: String = "token", user: String? = nil,
        startCommand: String? = nil, stateDirectory: String? = nil, tls: Bool = false,
        policies: [String: String] = [:], wrapper: [String] = []
    ) {
        self.arguments = arguments
        self.environment = environment
        self.auth = auth
        self.user = user
        self.startCommand = startCommand
        self.stateDirectory = stateDirectory
        self.tls = tls
        self.policies = policies
        self.wrapper = wrapper
    }
}

/// A complete installation on this machine for one test: its own directories, its own scripted model, its own
/// supervisor on a free port.
package final class Rookery {
    package let root: URL
    package let stateDirectory: String
    package let runtimeDirectory: String
    package let options: RookeryOptions
    package private(set) var model: RunningProgram?
    package private(set) var supervisor: RunningProgram?
    package private(set) var address = ""
    package private(set) var modelAddress = ""
    package private(set) var api: APIClient
    package let created = CreatedSessions()
    private var bind = "127.0.0.1:0"

    private init(options: RookeryOptions) throws {
        self.options = options
        root = URL(fileURLWithPath: "/tmp/rk-\(UUID().uuidString.prefix(8).lowercased())")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        // The supervisor gives up root, so its directories must be reachable for another user.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: root.path)
        stateDirectory = options.stateDirectory ?? root.appending(path: "state").path
        runtimeDirectory = root.appending(path: "run").path
        api = APIClient(base: "", token: nil, created: created)
        if !options.policies.isEmpty {
            try FileManager.default.createDirectory(atPath: policyDirectory, withIntermediateDirectories: true)
            for (name, text) in options.policies {
                try text.write(toFile: "\(policyDirectory)/\(name).yaml", atomically: true, encoding: .utf8)
            }
        }
        if let user = options.user {
            for directory in [stateDirectory, runtimeDirectory, root.appending(path: "home").path] {
                try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
                try FileManager.default.setAttributes(
                    [.ownerAccountName: user, .posixPermissions: 0o700], ofItemAtPath: directory)
            }
        }
    }

    /// Starts an installation, runs the body, stops everything, and checks that nothing is left on the machine.
    package static func with(
        _ options: RookeryOptions = RookeryOptions(), _ body: (Rookery) async throws -> Void
    ) async throws {
        let rookery = try Rookery(options: options)
        do {
            try await rookery.startModel()
            try await rookery.start()
            try await body(rookery)
        } catch {
            Issue.record("\(error)\n--- supervisor's log ---\n\(rookery.supervisor?.errorText.suffix(6000) ?? "")")
            await rookery.tearDown()
            return
        }
        await rookery.tearDown()
        // What was just killed takes a moment to go.
        _ = try? await eventually("nothing to be left", within: .seconds(10)) {
            rookery.leftovers().isEmpty ? true : nil
        }
        #expect(rookery.leftovers() == [])
        try? FileManager.default.removeItem(at: rookery.root)
    }

    /// What the supervisor that runs now has logged of a session.
    package func log(about session: String) -> String {
        let lines = supervisor?.errorText.split(separator: "\n").filter { $0.contains(session) } ?? []
        return lines.suffix(60).joined(separator: "\n")
    }

    private var policyDirectory: String { root.appending(path: "policies").path }

    package func startModel() async throws {
        let model = try RunningProgram(
            [Programs.built("scripted-model"), "--bind", "127.0.0.1:0"], logs: root, name: "model")
        self.model = model
        modelAddress = try await model.line(startingWith: "scripted-model listening on ")
    }

    package var serveArguments: [String] {
        var arguments = [
            options.programs.map { "\($0)/rookery" } ?? Programs.built("rookery"), "serve", "--bind", bind,
            "--state-dir", stateDirectory,
            "--runtime-dir", runtimeDirectory, "--auth", options.auth, "--model-upstream", modelAddress,
            "--log-level", "debug",
        ]
        if options.tls {
            arguments += [
                "--bind", "unix:\(runtimeDirectory)/api.sock", "--tls-cert", root.path + "/cert.pem", "--tls-key",
                root.path + "/key.pem",
            ]
        }
        if let command = options.startCommand { arguments += ["--claude-command", command] }
        if !options.policies.isEmpty { arguments += ["--policies", policyDirectory] }
        arguments += options.arguments
        if let user = options.user {
            arguments = ["/usr/bin/setpriv", "--reuid", user, "--regid", "nogroup", "--clear-groups"] + arguments
        }
        return options.wrapper + arguments
    }

    package func start() async throws {
        var environment = options.environment
        if options.user != nil { environment["HOME"] = root.appending(path: "home").path }
        if options.tls { try await makeCertificate() }
        let supervisor = try RunningProgram(
            serveArguments, environment: environment, logs: root, name: "serve-\(UUID().uuidString.prefix(4))")
        self.supervisor = supervisor
        address = try await supervisor.line(startingWith: "rookery listening on ")
        let tokenFile = stateDirectory + "/admin-token"
        let token = try? String(contentsOfFile: tokenFile, encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let socket = "http+unix://" + (runtimeDirectory + "/api.sock").replacing("/", with: "%2F")
        api = APIClient(
            base: options.tls ? socket : address, token: options.auth == "none" ? nil : token, created: created)
        try await eventually("the supervisor to be ready") {
            try await self.api.get("/readyz").status == 200 ? true : nil
        }
    }

    /// Starts the supervisor again where it was killed, on the same address, as systemd would.
    package func restartIfDead() async throws {
        guard supervisor?.process.isRunning != true else { return }
        bind = String(address.dropFirst("http://".count))
        try await start()
    }

    private func makeCertificate() async throws {
        let made = try await run(
            [
                "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-keyout", root.path + "/key.pem", "-out", root.path + "/cert.pem", "-days", "1", "-subj",
                "/CN=localhost",
            ], logs: root)
        guard made.status == 0 else { throw ProgramEnded(status: made.status, errors: made.errors) }
        // The supervisor reads them as another user.
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: root.path + "/key.pem")
    }

    /// Ends the supervisor alone; sessions go on.
    package func endSupervisor(signal: Int32) async {
        await supervisor?.end(signal: signal)
    }

    private func tearDown() async {
        // A test that failed before it was there again: nobody else ends its sessions, and their cgroups would stay.
        if supervisor?.process.isRunning == false, !leftovers().isEmpty { try? await restartIfDead() }
        if let supervisor, supervisor.process.isRunning, let sessions = try? await api.sessions() {
            for session in sessions { _ = try? await api.delete("/v1/sessions/\(session["id"]?.string ?? "")") }
        }
        await supervisor?.end()
        await model?.end()
        // A launcher finishes what it has begun.
        _ = try? await eventually("the launcher to end", within: .seconds(10)) {
            processes().contains { $0.command.contains("rookery-launcher") } ? nil : true
        }
        for process in processes() { kill(process.pid, SIGKILL) }
    }

    /// Living processes that belong to this installation or to one session of it: their command line or
    /// environment names it.
    package func processes(of session: String? = nil) -> [(pid: Int32, command: String)] {
        let marks = session.map { [$0] } ?? [root.path] + created.all
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { name in
            guard let pid = Int32(name), pid != getpid() else { return nil }
            func read(_ file: String) -> String {
                FileManager.default.contents(atPath: "/proc/\(pid)/\(file)").map { String(decoding: $0, as: UTF8.self) }
                    ?? ""
            }
            let command = read("cmdline")
            guard !read("status").contains("State:\tZ") else { return nil }
            let about = command + read("environ")
            return marks.contains { about.contains($0) } ? (pid, command) : nil
        }
    }

    /// Where the host finds a file of a running session: in its plain directories, or, where an image holds its files, as
    /// the session itself sees it. `path` is the inside's, below /workspace or /home/agent.
    package func path(_ path: String, of session: String) -> String {
        let directory = "\(stateDirectory)/sessions/\(session)"
        if FileManager.default.fileExists(atPath: directory + "/workspace") {
            return directory + path.replacing("/home/agent", with: "/home")
        }
        let roots = processes(of: session).map { "/proc/\($0.pid)/root" }
        let own = roots.first { FileManager.default.fileExists(atPath: $0 + "/run/rookery/start") }
        return (own ?? "/nonexistent") + path
    }

    /// What must not be there once all sessions are deleted and the supervisor has stopped.
    package func leftovers() -> [String] {
        var found = processes().map { "process \($0.pid) \($0.command)" }
        let mounts = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        found += mounts.split(separator: "\n").filter { $0.contains(root.path) }.map { "mount \($0)" }
        for directory in ["\(runtimeDirectory)/w", "\(stateDirectory)/sessions", "\(stateDirectory)/disks"] {
            let entries = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            found += entries.map { "\(directory)/\($0)" }
        }
        for hierarchy in ["", "unified/", "memory/", "cpu/", "pids/"] {
            let parents = "/sys/fs/cgroup/\(hierarchy)"
            for parent in (try? FileManager.default.contentsOfDirectory(atPath: parents)) ?? []
            where parent.hasPrefix("rookery") {
                let leaves = (try? FileManager.default.contentsOfDirectory(atPath: parents + parent)) ?? []
                found += leaves.filter { leaf in created.all.contains { leaf.contains($0) } }.map { "cgroup \($0)" }
            }
        }
        return found
    }
}
