import ArgumentParser
import CLinux
import Foundation
import Glibc
import Launcher
import Policy
import WorkerControl

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command in the sandbox that a session would get.",
        discussion: """
            The workspace is /workspace inside, the home /home/agent, a temporary one. The exit status is the command's; \
            125 is a failed set-up, 126 and 127 are as in shells.
            """)

    @Option(help: "The policy whose limits and environment hold.") var policy: String?
    @Option(help: "The directory with the policies; the built-in default stands without.") var policies: String?
    @Option(help: "The image that is inside, in place of the policy's: 'host', or a built one.") var image: String?
    @Option(help: "The directory of the built images.") var images = "/var/lib/rookery/images"
    @Option(help: "The directory that is /workspace inside; a temporary one without.") var workspace: String?
    @Option(help: "A Claude Code binary, /usr/local/bin/claude inside.") var claude: String?
    @Option(help: "The system call profile, standard or strict, in place of the policy's.")
    var seccomp: SeccompRules.Profile?
    @Flag(help: "Use user namespaces alone, also as root.") var rootless = false
    @Flag(help: "Print what would be done instead of doing it.") var explain = false
    @Argument(parsing: .postTerminator, help: "The command and its arguments, after --.") var command: [String] = []

    func validate() throws {
        if command.isEmpty, !explain { throw ValidationError("name a command after --") }
    }

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        umask(0o077)
        if rootless, geteuid() == 0 {
            complain("--rootless as root: the command runs with the host's uid 0 in its user namespace")
        }
        var policy = try chosenPolicy()
        if let image { policy.sandbox.image = image }
        if let seccomp { policy.sandbox.seccomp.profile = seccomp }
        // A disk of its own is mounted for a moment, where nobody else shall see it. Before there is a second thread.
        let mountsArePrivate = geteuid() == 0 && !rootless && rk_private_mounts() >= 0
        let run = SandboxRun(
            policy: policy, workspace: workspace, claudeBinary: claude, imagesDirectory: images, rootless: rootless,
            command: command, libexecDirectory: Self.ownDirectory, mountsArePrivate: mountsArePrivate)
        do {
            if explain {
                print(try run.explanation(), terminator: "")
                return
            }
            throw ExitCode(try run.run())
        } catch let failure as LaunchFailure {
            complain("\(failure.step): \(failure.message)" + (failure.remedy.isEmpty ? "" : "; \(failure.remedy)"))
            throw ExitCode(SandboxRun.status(of: failure))
        }
    }

    private func chosenPolicy() throws -> SessionPolicy {
        do throws(FileFault) {
            let store =
                try policies.map { path throws(FileFault) in try PolicyStore(directory: path) } ?? PolicyStore()
            if let policy = store.policy(named: policy) { return policy }
            complain(
                "there is no policy '\(policy ?? "")'; there are \(store.names.joined(separator: ", "))"
                    + (policies == nil ? "; name the directory with --policies" : ""))
        } catch { complain("\(error)") }
        throw ExitCode(SandboxRun.Status.setupFailed)
    }

    private func complain(_ text: String) { FileHandle.standardError.write(Data("rookery: \(text)\n".utf8)) }

    /// rookery-init lies beside this program.
    private static var ownDirectory: String {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/usr/libexec/rookery/x"
        return (own as NSString).deletingLastPathComponent
    }
}

extension SeccompRules.Profile: ExpressibleByArgument {}
