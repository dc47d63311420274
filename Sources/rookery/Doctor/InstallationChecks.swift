import Dispatch
import Foundation

/// Whether the programs are there, and the user that runs them.
enum InstallationChecks {
    static func programs(_ installation: Installation, asRoot: Bool, serviceUser: String) -> [Finding] {
        var findings = [installation.launcher, installation.worker, installation.initProgram].map { path -> Finding in
            let name = (path as NSString).lastPathComponent
            guard access(path, X_OK) == 0 else {
                return .fail(name, "\(path) is missing", "build all of it: make build")
            }
            return .ok(name, path)
        }
        findings.append(
            FileManager.default.fileExists(atPath: installation.startCommand)
                ? .ok("start command", installation.startCommand)
                : .fail("start command", "\(installation.startCommand) is missing", "run from a complete checkout"))
        if asRoot, let closed = closedDirectory(above: installation.worker) {
            findings.append(
                .fail(
                    "program directory", "\(closed) is closed to the user \(serviceUser), who must run the programs",
                    "move the checkout to a place like /opt, or open the directory (chmod o+x \(closed))"))
        }
        return findings
    }

    /// The first directory above a path that others may not pass through.
    static func closedDirectory(above path: String) -> String? {
        var directory = (path as NSString).deletingLastPathComponent
        while true {
            if let found = FileIdentity(directory), found.permissions & 0o001 == 0 { return directory }
            if directory == "/" { return nil }
            directory = (directory as NSString).deletingLastPathComponent
        }
    }

    static func serviceUser(_ name: String) -> Finding {
        guard getpwnam(name) != nil else {
            return .fail(
                "service user", "there is no user '\(name)'",
                "useradd --system --no-create-home --shell /usr/sbin/nologin \(name)")
        }
        return .ok("service user", name)
    }
}

/// Whether Claude Code is there and is the version this was tested with.
enum ClaudeCheck {
    static func finding(_ path: String?) -> Finding {
        guard let path else {
            return .fail(
                "claude", "there is no Claude Code binary", "Scripts/setup fetches it; or name one with --claude-binary"
            )
        }
        guard access(path, X_OK) == 0 else {
            return .fail("claude", "\(path) is missing or not executable", "name another with --claude-binary")
        }
        guard let version = version(path) else {
            return .fail("claude", "\(path) does not say its version", "fetch it again: rm it and run Scripts/setup")
        }
        guard version.hasPrefix(Version.claude) else {
            return .warn(
                "claude", "\(path) is version \(version)",
                "this rookery was tested with \(Version.claude): Scripts/setup fetches that")
        }
        return .ok("claude", "\(path), version \(version)")
    }

    private static func version(_ path: String) -> String? {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = ["--version"]
        // It may write to its home: not to anybody's.
        let home = NSTemporaryDirectory() + "rookery-doctor-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: home) }
        process.environment = ["HOME": home, "PATH": "/usr/bin:/bin", "DISABLE_AUTOUPDATER": "1"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let deadline = DispatchWorkItem { process.terminate() }
        DispatchQueue.global().asyncAfter(deadline: .now() + 20, execute: deadline)
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        deadline.cancel()
        let word = text.split(whereSeparator: \.isWhitespace).first.map(String.init)
        return process.terminationStatus == 0 ? word : nil
    }
}
