import CLinux
import Foundation
import Glibc

/// Starts `rookery-launcher`, the one privileged process, before this process gives up its own privileges.
enum LauncherProcess {
    /// Returns our end of the control socket (SOCK_SEQPACKET), at whose close the launcher ends, and our child.
    static func start(
        _ configuration: ServeConfiguration, user: ServiceUser?
    ) throws(ConfigurationError) -> (control: Int32, child: pid_t) {
        let program = configuration.libexecDirectory + "/rookery-launcher"
        guard access(program, X_OK) == 0 else {
            throw ConfigurationError(
                "\(program) is missing or cannot be executed; build it, or name its directory with --libexec-dir")
        }
        var pair: [Int32] = [-1, -1]
        let type = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &pair) == 0 else {
            throw ConfigurationError("no socket pair for the launcher: \(String(cString: strerror(errno)))")
        }
        defer { close(pair[1]) }
        // Before the first message: the launcher looks at who sent each.
        let passed = rk_pass_credentials(pair[1])
        guard passed == 0 else {
            throw ConfigurationError("no credentials on the launcher's socket: \(String(cString: strerror(-passed)))")
        }
        var arguments = [
            program, "serve", "--control-fd", "3", "--state-dir", configuration.stateDirectory, "--runtime-dir",
            configuration.runtimeDirectory, "--libexec-dir", configuration.libexecDirectory, "--service-uid",
            "\(user?.uid ?? geteuid())", "--images", configuration.images, "--service-gid", "\(user?.gid ?? getegid())",
        ]
        if configuration.rootless { arguments.append("--rootless") }
        if !configuration.confined { arguments.append("--no-confinement") }
        return (pair[0], try spawn(arguments, control: pair[1]))
    }

    /// Waits for the child on a thread of its own, so that it does not stay a zombie: killed, the guardian that it is has a
    /// successor which is the launcher's child.
    static func reap(_ child: pid_t) {
        let thread = Thread {
            var status: Int32 = 0
            while waitpid(child, &status, 0) < 0, errno == EINTR {}
        }
        thread.stackSize = 1 << 17
        thread.start()
    }

    private static func spawn(_ arguments: [String], control: Int32) throws(ConfigurationError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        // Standard output is ours to announce addresses on.
        posix_spawn_file_actions_adddup2(&actions, 2, 1)
        posix_spawn_file_actions_adddup2(&actions, control, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own: Ctrl-C in our terminal is for us to act on.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        let argv = arguments.map { strdup($0) } + [nil]
        let environment = [strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), nil]
        defer { (argv + environment).forEach { free($0) } }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, arguments[0], &actions, &attributes, argv, environment)
        guard result == 0 else {
            throw ConfigurationError("\(arguments[0]) did not start: \(String(cString: strerror(result)))")
        }
        return pid
    }
}
