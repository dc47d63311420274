import Foundation

/// Where the built programs and the set-up's downloads are.
package enum Programs {
    package static let packageRoot = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    package static func built(_ name: String) -> String {
        packageRoot.appending(path: ".build/debug/\(name)").path
    }

    package static let claude = packageRoot.appending(path: ".deps/bin/claude").path
    package static let isRoot = getuid() == 0
}

/// A program that a test started, ended with the test by its own pid. What it printed is kept in files, so that a
/// failure can show it.
package final class RunningProgram {
    package let process = Process()
    package let output: URL
    package let errors: URL

    package var pid: Int32 { process.processIdentifier }

    package init(_ arguments: [String], environment: [String: String] = [:], logs: URL, name: String) throws {
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
    package func line(startingWith prefix: String, within limit: Duration = .seconds(60)) async throws -> String {
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

    package var errorText: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }

    package func end(signal: Int32 = SIGTERM, within limit: Duration = .seconds(15)) async {
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

package struct ProgramEnded: Error, CustomStringConvertible {
    package var status: Int32
    package var errors: String
    package var description: String { "the program ended with status \(status): \(errors.suffix(2000))" }
}

package struct TimedOut: Error, CustomStringConvertible {
    package var what: String

    package init(what: String) { self.what = what }

    package var description: String { "timed out waiting for \(what)" }
}

/// Asks again and again until there is an answer. The limits are generous: they are for a hang, not for speed.
@discardableResult
package func eventually<Answer>(
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
package func run(
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
