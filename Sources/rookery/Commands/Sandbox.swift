import ArgumentParser
import Foundation
import Images

struct Sandbox: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Use a session's sandbox by hand.", subcommands: [Run.self])

    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run a command in the sandbox that a session would get, on this terminal.",
            discussion: """
                The workspace is /workspace inside, the home /home/agent. The exit status is the command's; 125 is a \
                failed set-up, 126 and 127 are as in shells.
                """)
        @Option(help: "The policy whose limits hold.") var policy: String?
        @Option(help: "The directory with the policies.") var policies: String?
        @Option(help: "The image that is inside, in place of the policy's.") var image: String?
        @OptionGroup var imageOptions: ImageOptions
        @Option(help: "The directory that is /workspace inside.") var workspace: String?
        @Flag(help: "Use user namespaces alone, also as root.") var rootless = false
        @Flag(help: "Print what would be done instead of doing it.") var explain = false
        @Argument(parsing: .postTerminator, help: "The command and its arguments, after --.") var command: [String] = []

        func validate() throws {
            if command.isEmpty, !explain { throw ValidationError("name a command after --") }
        }

        func run() throws {
            var arguments = ["run"]
            if let policy { arguments += ["--policy", policy] }
            let installation = Installation.current()
            let directory = policies ?? installation.policies
            if policies != nil || FileManager.default.fileExists(atPath: directory) {
                arguments += ["--policies", directory]
            }
            // As in a session, 'claude' is there.
            if let claude = installation.claude(ProcessInfo.processInfo.environment) {
                arguments += ["--claude", claude]
            }
            if let image { arguments += ["--image", image] }
            arguments += ["--images", imageOptions.store.directory]
            if let workspace { arguments += ["--workspace", workspace] }
            if rootless { arguments.append("--rootless") }
            if explain { arguments.append("--explain") }
            if !command.isEmpty { arguments += ["--"] + command }
            let program = installation.launcher
            // Replaces this process, so that signals, the terminal and the exit status are the launcher's.
            signal(SIGPIPE, SIG_DFL)
            let words = ([program] + arguments).map { strdup($0) } + [nil]
            execv(program, words)
            printError("rookery: \(program) cannot be started: \(String(cString: strerror(errno)))")
            throw ExitCode(125)
        }
    }
}
