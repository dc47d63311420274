import Foundation
import Testing

@testable import rookery

/// One `rookery serve` in a directory of its own, ended by its own pid.
final class ServerProcess {
    let directory: String
    private let process = Process()
    private let log: String

    var pid: Int32 { process.processIdentifier }

    static func makeDirectory() throws -> String {
        let directory = "/tmp/rsp-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(
            atPath: directory + "/policies", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o755])
        return directory
    }

    static func with(user: String? = nil, _ body: (ServerProcess) async throws -> Void) async throws {
        let directory = try makeDirectory()
        if let user {
            try FileManager.default.setAttributes([.ownerAccountName: user], ofItemAtPath: directory)
        }
        let server = try ServerProcess(directory: directory, user: user)
        do {
            try await server.until { server.output.contains("listening on") }
            try await body(server)
        } catch {
            Issue.record("\(error)\n\(server.errors)")
        }
        _ = try await server.stop()
        try FileManager.default.removeItem(atPath: directory)
    }

    init(
        directory: String, user: String? = nil, state: String = "/state", runtime: String = "/run", more: [String] = []
    ) throws {
        self.directory = directory
        log = "\(directory)/log-\(UUID().uuidString.prefix(8))"
        let programs = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: ".build/debug")
        var words = [
            programs.appending(path: "rookery").path, "serve", "--bind", "127.0.0.1:0", "--state-dir",
            directory + state, "--runtime-dir", directory + runtime, "--policies", directory + "/policies",
            "--model-upstream", "http://127.0.0.1:9",
        ]
        if let user { words = ["/usr/bin/setpriv", "--reuid", user, "--regid", "nogroup", "--clear-groups"] + words }
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst()) + more
        process.environment = ["PATH": "/usr/bin:/bin", "HOME": directory]
        process.standardInput = FileHandle.nullDevice
        for (suffix, key) in [(".out", \Process.standardOutput), (".err", \Process.standardError)] {
            try Data().write(to: URL(filePath: log + suffix))
            process[keyPath: key] = try FileHandle(forWritingTo: URL(filePath: log + suffix))
        }
        try process.run()
    }

    var output: String { (try? String(contentsOfFile: log + ".out", encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOfFile: log + ".err", encoding: .utf8)) ?? "" }

    func address() throws -> ServerAddress {
        let first = try #require(output.split(separator: "\n").first)
        #expect(first.hasPrefix("rookery listening on http://"))
        return try #require(ServerAddress(parsing: String(first.dropFirst("rookery listening on ".count))))
    }

    struct TookTooLong: Error {}

    func until(_ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while !condition() {
            guard ContinuousClock.now < deadline, process.isRunning else { throw TookTooLong() }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Waits for its end.
    func ended() async throws -> Int32 {
        let deadline = ContinuousClock.now + .seconds(30)
        while process.isRunning {
            guard ContinuousClock.now < deadline else {
                kill(pid, SIGKILL)
                throw TookTooLong()
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        return process.terminationStatus
    }

    func stop() async throws -> Int32 {
        if process.isRunning { kill(pid, SIGTERM) }
        return try await ended()
    }
}
