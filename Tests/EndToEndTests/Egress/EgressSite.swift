import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// Servers on loopback that stand for hosts of the internet, and an installation whose sessions run what a test says.
struct EgressSite {
    let rookery: Rookery
    let directory: URL
    let log: URL

    /// Runs what lies in a directory that the test shares with the session, one script after another, each once. The test's
    /// files are not the session's to move away.
    private static let runner = """
        #!/bin/sh
        umask 0
        mkdir -p "/shared/$CLAUDE_SESSION_ID"
        cd "/shared/$CLAUDE_SESSION_ID"
        echo ready
        while :; do
            for job in *.sh; do
                [ -f "$job" ] && [ ! -f "$job.status" ] || continue
                sh "$job" >"$job.out" 2>&1
                echo $? >"$job.status"
            done
            sleep 0.1
        done

        """

    /// - Parameters:
    ///   - names: what the supervisor finds in its hosts file; nil: what the machine has there. Needs root.
    ///   - nameServer: whom the supervisor asks for names, and waits for; nil: whom the machine asks. Needs root.
    ///   - runsScripts: false: sessions run Claude Code, as they do elsewhere.
    static func with(
        policies: [String: String], hosts: [String], secrets: [String: String] = [:], names: String? = nil,
        nameServer: String? = nil, runsScripts: Bool = true, _ body: (EgressSite) async throws -> Void
    ) async throws {
        let directory = URL(fileURLWithPath: "/tmp/rke-\(UUID().uuidString.prefix(8).lowercased())")
        defer { try? FileManager.default.removeItem(at: directory) }
        for (name, mode) in [("", 0o755), ("www", 0o755), ("policies", 0o755), ("shared", 0o777)] {
            let path = directory.appending(path: name)
            try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path.path)
        }
        if Programs.isRoot {
            // What root owns no session may write.
            try FileManager.default.setAttributes(
                [.ownerAccountID: 65534], ofItemAtPath: directory.appending(path: "shared").path)
        }
        let mount = "mounts: [{source: \(directory.path)/shared, target: /shared, access: write}]\n"
        for (name, text) in policies {
            try (text + mount).write(
                to: directory.appending(path: "policies/\(name).yaml"), atomically: true, encoding: .utf8)
        }
        let start = directory.appending(path: "start.sh")
        try runner.write(to: start, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: start.path)
        try await makeCertificate(hosts, in: directory)
        let log = directory.appending(path: "requests")
        let server = try RunningProgram(
            [
                "/usr/bin/python3", Programs.packageRoot.path + "/Tests/EndToEndTests/Egress/stand_in.py",
                directory.path + "/www", directory.path + "/cert.pem", directory.path + "/key.pem", log.path,
            ], logs: directory, name: "stand-in")
        let ports = try await server.line(startingWith: "ports ").split(separator: " ").map(String.init)
        let standIns = hosts.flatMap { ["\($0):443=127.0.0.1:\(ports[0])", "\($0):80=127.0.0.1:\(ports[1])"] }
        var options = RookeryOptions(
            arguments: ["--policies", directory.path + "/policies"],
            environment: [
                "ROOKERY_EGRESS_STAND_INS": standIns.joined(separator: " "),
                "ROOKERY_EGRESS_STAND_IN_ROOTS": try String(
                    contentsOf: directory.appending(path: "cert.pem"), encoding: .utf8),
            ], startCommand: runsScripts ? start.path : nil)
        if let names {
            try names.write(to: directory.appending(path: "hosts"), atomically: true, encoding: .utf8)
            options.wrapper = bound(directory.path + "/hosts", over: "/etc/hosts")
        }
        if let nameServer {
            try "nameserver \(nameServer)\noptions timeout:30 attempts:1\n".write(
                to: directory.appending(path: "resolv.conf"), atomically: true, encoding: .utf8)
            options.wrapper = bound(directory.path + "/resolv.conf", over: "/etc/resolv.conf")
        }
        if !secrets.isEmpty { options.arguments += ["--tool-secrets", try keep(secrets, in: directory)] }
        try await Rookery.with(options) { rookery in
            try await body(EgressSite(rookery: rookery, directory: directory, log: log))
        }
        await server.end()
    }

    /// Words before a command that finds another file in the place of one of the machine's.
    private static func bound(_ file: String, over place: String) -> [String] {
        ["/usr/bin/unshare", "--mount", "/bin/sh", "-ec", "mount --bind \"$0\" \(place); exec \"$@\"", file]
    }

    /// For the supervisor's eyes alone.
    private static func keep(_ secrets: [String: String], in directory: URL) throws -> String {
        let path = directory.appending(path: "secrets").path
        let owner: [FileAttributeKey: Any] = Programs.isRoot ? [.ownerAccountName: "rookery"] : [:]
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (name, value) in secrets { try value.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8) }
        for (file, mode) in [(path, 0o700)] + secrets.keys.map({ ("\(path)/\($0)", 0o600) }) {
            try FileManager.default.setAttributes(
                owner.merging([.posixPermissions: mode]) { own, _ in own }, ofItemAtPath: file)
        }
        return path
    }

    private static func makeCertificate(_ hosts: [String], in directory: URL) async throws {
        let names = hosts.map { "DNS:\($0)" }.joined(separator: ",")
        let made = try await EndToEndSupport.run(
            [
                "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-keyout", directory.path + "/key.pem", "-out", directory.path + "/cert.pem", "-days", "1",
                "-subj", "/CN=stand-in", "-addext", "subjectAltName=\(names)",
            ], logs: directory)
        try #require(made.status == 0, "\(made)")
    }

    /// A session with the stand-ins' certificate where its scripts run.
    func session(policy: String) async throws -> String {
        let id = try await rookery.api.create(["policy": .string(policy)])
        try await rookery.api.waitForScreen(id, containing: "ready")
        try copy(directory.appending(path: "cert.pem"), to: "cert.pem", of: id)
        return id
    }

    /// Where a session's scripts run, as seen from outside.
    private func shared(_ id: String) -> String { directory.appending(path: "shared/\(id)").path }

    func copy(_ file: URL, to name: String, of id: String) throws {
        try FileManager.default.copyItem(atPath: file.path, toPath: "\(shared(id))/\(name)")
    }

    /// Runs a script in a session's sandbox.
    func execute(
        _ script: String, in id: String, within limit: Duration = .seconds(120)
    ) async throws -> (status: Int32, output: String) {
        try await end(of: try begin(script, in: id), within: limit)
    }

    /// Has a script run, and goes on.
    func begin(_ script: String, in id: String) throws -> String {
        let path = "\(shared(id))/\(UUID().uuidString).sh"
        try script.write(toFile: path + ".new", atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path + ".new")
        try FileManager.default.moveItem(atPath: path + ".new", toPath: path)
        return path
    }

    func end(of path: String, within limit: Duration) async throws -> (status: Int32, output: String) {
        let status = try await eventually("the script's end", within: limit) { () -> Int32? in
            guard let text = try? String(contentsOfFile: path + ".status", encoding: .utf8), text.hasSuffix("\n")
            else { return nil }
            return Int32(text.dropLast())
        }
        return (status, (try? String(contentsOfFile: path + ".out", encoding: .utf8)) ?? "")
    }

    /// Has names lead elsewhere from now on.
    func rename(_ names: String) throws {
        // In place: the file itself is what the supervisor sees.
        try names.write(toFile: directory.path + "/hosts", atomically: false, encoding: .utf8)
    }

    var requests: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }
}
