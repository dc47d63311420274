import Foundation

/// Where the built programs and the set-up's downloads are.
enum Programs {
    static let packageRoot = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func built(_ name: String) -> String {
        packageRoot.appending(path: ".build/debug/\(name)").path
    }

    static let claude = packageRoot.appending(path: ".deps/bin/claude").path
    static let isRoot = getuid() == 0
}

/// A program that a test started, ended with the test by its own pid. What it printed is kept in files, so that a
/// failure can show it.
final class RunningProgram {
    let process = Process()
    let output: URL
    let errors: URL

    var pid: Int32 { process.processIdentifier }

    init(_ arguments: [String], environment: [String: String] = [:], logs: URL, name: String) throws {
        output = logs.appending(path: "\(name).out")
        errors = logs.appending(path: "\(name).err")
        for file in [output, errors] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        process.executableURL = URL(fileURLWithPath: arguments[0])
        process.arguments = Array(arguments.dropFirst())
        var inherited = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": logs.path, "LANG": "C.UTF-8"]
        inherited.merge(environment) { _, new in new }
        process.environment = inherited
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
    }

    /// Waits until the program has printed `prefix` at the start of a line and returns the rest of that line.
    func line(startingWith prefix: String, within limit: Duration = .seconds(60)) async throws -> String {
        let found = try await eventually("'\(prefix)' on the standard output", within: limit) { () -> String? in
            let text = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
            for line in text.split(separator: "\n") where line.hasPrefix(prefix) {
                return String(line.dropFirst(prefix.count))
            }
            if !process.isRunning { throw ProgramEnded(status: process.terminationStatus, errors: errorText) }
            return nil
        }
        return found
    }

    var errorText: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }

    func end(signal: Int32 = SIGTERM, within limit: Duration = .seconds(15)) async {
        guard process.isRunning else { return }
        kill(pid, signal)
        let deadline = ContinuousClock.now + limit
        while process.isRunning, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(20)) }
        guard process.isRunning else { return }
        kill(pid, SIGKILL)
        // Not waitUntilExit: a descendant that holds on would hold us too.
        let last = ContinuousClock.now + .seconds(5)
        while process.isRunning, ContinuousClock.now < last { try? await Task.sleep(for: .milliseconds(20)) }
    }
}

struct ProgramEnded: Error, CustomStringConvertible {
    var status: Int32
    var errors: String
    var description: String { "the program ended with status \(status): \(errors.suffix(2000))" }
}

struct TimedOut: Error, CustomStringConvertible {
    var what: String
    var description: String { "timed out waiting for \(what)" }
}

/// Asks again and again until there is an answer. The limits are generous: they are for a hang, not for speed.
@discardableResult
func eventually<Answer>(
    _ what: String, within limit: Duration = .seconds(30), isolation: isolated (any Actor)? = #isolation,
    _ ask: () async throws -> Answer?
) async throws -> Answer {
    let deadline = ContinuousClock.now + limit
    while true {
        if let answer = try await ask() { return answer }
        if ContinuousClock.now > deadline { throw TimedOut(what: what) }
        try await Task.sleep(for: .milliseconds(50))
    }
}

/// Runs a program to its end and returns what it printed.
func run(
    _ arguments: [String], environment: [String: String] = [:], within limit: Duration = .seconds(60), logs: URL
) async throws -> (status: Int32, output: String, errors: String) {
    let program = try RunningProgram(
        arguments, environment: environment, logs: logs, name: "run-\(UUID().uuidString.prefix(8))")
    let deadline = ContinuousClock.now + limit
    while program.process.isRunning {
        if ContinuousClock.now > deadline {
            await program.end(signal: SIGKILL)
            throw TimedOut(what: arguments.joined(separator: " "))
        }
        try await Task.sleep(for: .milliseconds(20))
    }
    let output = (try? String(contentsOf: program.output, encoding: .utf8)) ?? ""
    return (program.process.terminationStatus, output, program.errorText)
}
