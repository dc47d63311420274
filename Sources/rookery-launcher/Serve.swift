import ArgumentParser
import CLinux
import Foundation
import Glibc
import Launcher
import Logging
import Sandbox
import WorkerControl

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve one supervisor until it closes the control socket.")

    @Option(name: .customLong("control-fd"), help: "Descriptor of a connected SOCK_SEQPACKET Unix socket.")
    var controlDescriptor: Int32
    @Option(name: .customLong("state-dir"), help: "Holds the sessions' directories.")
    var stateDirectory: String
    @Option(name: .customLong("runtime-dir"), help: "Holds the workers' sockets.")
    var runtimeDirectory: String
    @Option(name: .customLong("service-uid"), help: "The user that supervisor and workers run as.")
    var serviceUID: UInt32
    @Option(name: .customLong("service-gid"), help: "Its group.")
    var serviceGID: UInt32
    @Option(name: .customLong("libexec-dir"), help: "Holds rookery-worker and rookery-init.")
    var libexecDirectory: String
    @Option(name: .customLong("images"), help: "Holds the built images; <state-dir>/images without.")
    var images: String?
    @Flag(help: "Use no privilege: user namespaces with one uid, and only the limits that hold without root.")
    var rootless = false
    @Flag(name: .customLong("no-confinement"), help: "Leave workers as they are started, for finding faults.")
    var noConfinement = false
    @Flag(help: .hidden) var guarded = false
    @Option(help: .hidden) var adopt: Int32?
    @Option(name: .customLong("answers-fd"), help: .hidden) var answersDescriptor: Int32?

    func run() throws {
        if !guarded { throw ExitCode(try guardian().run(adopting: adopt)) }
        let logger = Logger(label: "rookery.launcher", factory: { StreamLogHandler.standardError(label: $0) })
        do throws(LaunchFailure) {
            try takeOn(logger)
            Guardian(control: controlDescriptor, answers: answers).replaceWhenGone()
            var configuration = try LauncherConfiguration(
                stateDirectory: stateDirectory, runtimeDirectory: runtimeDirectory, serviceUID: serviceUID,
                serviceGID: serviceGID, libexecDirectory: libexecDirectory, imagesDirectory: images,
                rootless: rootless)
            configuration.confinesWorkers = !noConfinement
            configuration.mountsArePrivate = mountsArePrivate(logger)
            let socket = OwnedDescriptor(owning: controlDescriptor)
            try LauncherService(configuration, socket: socket, answers: answers, logger: logger).run()
        } catch {
            logger.critical(
                "launcher stops",
                metadata: [
                    "step": "\(error.step)", "errno": "\(error.errno)", "error": "\(error.message)",
                    "remedy": "\(error.remedy)",
                ])
            throw ExitCode(1)
        }
    }

    /// Without `--guarded` this process only starts the one that serves, and again when it is killed.
    private func guardian() throws -> Guardian {
        // A ^C in the supervisor's terminal is for the supervisor to act on.
        signal(SIGINT, SIG_IGN)
        guard controlDescriptor > 2, rk_set_close_on_exec(controlDescriptor, 1) >= 0 else {
            FileHandle.standardError.write(Data("--control-fd \(controlDescriptor) is not open\n".utf8))
            throw ExitCode(1)
        }
        return Guardian(control: controlDescriptor, answers: answers ?? AnswerNotes())
    }

    /// What guardian and launcher share, in the one of the two that was started by the other.
    private var answers: AnswerNotes? {
        guard let number = answersDescriptor, number > 2, rk_set_close_on_exec(number, 1) >= 0 else { return nil }
        return AnswerNotes(descriptor: number)
    }

    /// What holds for the process as a whole, before there is a second thread.
    private func takeOn(_ logger: Logger) throws(LaunchFailure) {
        // A ^C in the supervisor's terminal goes to the whole foreground group; the supervisor decides what it means.
        signal(SIGINT, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
        umask(0o077)
        OutOfMemory.protect(getpid(), .service)
        guard controlDescriptor > 2, rk_set_close_on_exec(controlDescriptor, 1) >= 0 else {
            throw LaunchFailure(
                step: "control socket", errno: EBADF, message: "--control-fd \(controlDescriptor) is not open",
                remedy: "pass the number of an open descriptor above 2")
        }
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        if null >= 0 {
            dup2(null, 0)
            if null > 2 { close(null) }
        }
        // Two pidfds for each session, some twenty descriptors for each launch under way.
        var files = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 {
            files.rlim_cur = files.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        }
        if rootless, geteuid() == 0 { try dropPrivileges(logger) }
    }

    /// Sessions' disks are mounted here for a moment, where nobody else shall see them. Before there is a second thread.
    private func mountsArePrivate(_ logger: Logger) -> Bool {
        guard geteuid() == 0, !rootless else { return false }
        let result = rk_private_mounts()
        if result < 0 {
            logger.warning(
                "no mount namespace of our own: disk limits are not enforced",
                metadata: ["error": "\(SystemError.reason(-result))"])
        }
        return result >= 0
    }

    /// Started by root, told to be rootless: the session's one uid is this process's, so it must not be root's.
    private func dropPrivileges(_ logger: Logger) throws(LaunchFailure) {
        guard serviceUID != 0 else {
            logger.warning("--rootless as root: sessions run with the host's uid 0 in their user namespaces")
            return
        }
        guard setgroups(0, nil) == 0, setgid(serviceGID) == 0,
            setuid(serviceUID) == 0
        else {
            throw LaunchFailure(
                step: "privileges", errno: errno, message: "cannot become uid \(serviceUID)",
                remedy: "start the launcher as that user")
        }
    }
}
