import ArgumentParser
import Foundation

@main
struct RookeryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rookery",
        abstract: "Claude Code sessions, each in a sandbox of its own.",
        discussion: """
            Exit status: 0 fine, 1 the server said no, 2 bad usage, 3 the server cannot be reached.
            """,
        version: "rookery \(Version.current)",
        subcommands: [
            Serve.self,
            New.self, List.self, Attach.self, Wrap.self, Input.self, Screen.self, Logs.self, Recording.self,
            Transcript.self, Idle.self, Usage.self, Egress.self, Permissions.self, Share.self, Shares.self,
            Unshare.self,
            Switch.self, Stop.self, Park.self, Resume.self, Fork.self, Remove.self, Tenants.self, Users.self,
            Tokens.self, Credentials.self, Secrets.self, Budgets.self, Devices.self, Policies.self, Image.self,
            Sandbox.self,
            RegistryCommands.self, Doctor.self, Spares.self, Upgrade.self, ShowVersion.self,
        ])

    /// Not asynchronous itself: the runtime would end the main thread then, and a process whose first thread is dead
    /// keeps showing that thread's user, memory and files in /proc, whatever the others have become.
    static func main() {
        signal(SIGPIPE, SIG_IGN)
        let command: any ParsableCommand
        do { command = try parsed() } catch { Foundation.exit(report(error)) }
        Task.detached { Foundation.exit(await execute(command)) }
        while true { pause() }
    }

    /// The command that was typed. A server is prepared here, where there is no second thread yet.
    private static func parsed() throws -> any ParsableCommand {
        let command = try parseAsRoot()
        guard var serve = command as? Serve else { return command }
        try serve.prepare()
        return serve
    }

    /// ArgumentParser's own entry point would give bad usage the status 64.
    private static func execute(_ parsed: any ParsableCommand) async -> Int32 {
        do {
            var command = parsed
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return 0
        } catch {
            return report(error)
        }
    }

    /// Tells the person what went wrong, and what the shell gets.
    private static func report(_ error: any Error) -> Int32 {
        if let failure = error as? Failure {
            printError("rookery: \(failure)")
            return failure.status
        }
        let status = exitCode(for: error)
        let message = fullMessage(for: error)
        if status.isSuccess {
            print(message)
        } else if !message.isEmpty {
            printError(message)
        }
        return status == .validationFailure ? 2 : status.rawValue
    }
}

/// Why a command did not do what it was told.
enum Failure: Error, CustomStringConvertible, Equatable {
    /// The server, or this machine, said no.
    case refused(String)
    case usage(String)
    case unreachable(String)

    var status: Int32 {
        switch self {
        case .refused: 1
        case .usage: 2
        case .unreachable: 3
        }
    }

    var description: String {
        switch self {
        case .refused(let text), .usage(let text), .unreachable(let text): text
        }
    }
}

enum Version {
    static let current = "0.1.0"
    /// The Claude Code that this version was tested with.
    static let claude = "2.1.329"
}

func printError(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8)) }

/// Writes bytes as they are to standard output. Ends the program quietly when nobody reads them any more, as `| head`
/// does (SIGPIPE is ignored, and 141 is what it would have given).
func printBytes(_ data: Data) {
    do {
        try FileHandle.standardOutput.write(contentsOf: data)
    } catch {
        Foundation.exit(141)
    }
}
