import CLinux
import Foundation

/// What the kernel offers.
enum KernelChecks {
    static func all() -> [Finding] { [version(), userNamespaces(), seccomp(), openFiles()] }

    /// clone3 with CLONE_INTO_CGROUP is of 5.7, mount_setattr and idmapped mounts of 5.12.
    private static func version() -> Finding {
        let release = contents("/proc/sys/kernel/osrelease") ?? "unknown"
        let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        guard numbers.count == 2 else { return .warn("kernel", release, "this version cannot be told") }
        if numbers.lexicographicallyPrecedes([5, 7]) {
            return .fail("kernel", release, "run Linux 5.12 or later")
        }
        if numbers.lexicographicallyPrecedes([5, 12]) {
            return .warn("kernel", release, "run Linux 5.12 or later for idmapped mounts")
        }
        return .ok("kernel", release)
    }

    /// Really makes them, as a session's launch does.
    private static func userNamespaces() -> Finding {
        let name = "user namespaces"
        let all = UInt64(
            RK_NEW_USER | RK_NEW_MOUNT | RK_NEW_PID | RK_NEW_NET
                | RK_NEW_IPC | RK_NEW_UTS | RK_NEW_CGROUP)
        switch NamespacedChild.start("/bin/true", namespaces: all) {
        case .success(let child):
            child.wait()
            return .ok(name, "user, mount, pid, network, ipc, uts and cgroup namespaces can be made")
        case .failure(let failure):
            var remedies: [String] = []
            if contents("/proc/sys/kernel/unprivileged_userns_clone") == "0" {
                remedies.append("sysctl -w kernel.unprivileged_userns_clone=1")
            }
            if contents("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1" {
                remedies.append("sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
            }
            if contents("/proc/sys/user/max_user_namespaces") == "0" {
                remedies.append("sysctl -w user.max_user_namespaces=10000")
            }
            if remedies.isEmpty {
                remedies.append("in a container, allow clone with namespaces (seccomp, CAP_SYS_ADMIN)")
            }
            return .fail(name, "they cannot be made: \(failure)", remedies.joined(separator: "; "))
        }
    }

    private static func seccomp() -> Finding {
        guard let actions = contents("/proc/sys/kernel/seccomp/actions_avail") else {
            return .fail("seccomp", "this kernel has no seccomp filters", "use a kernel with CONFIG_SECCOMP_FILTER")
        }
        let has = Set(actions.split(separator: " "))
        guard has.contains("errno"), has.contains("kill_process") else {
            return .fail("seccomp", "actions: \(actions)", "use a kernel whose seccomp has errno and kill_process")
        }
        return .ok("seccomp", "filters with \(actions)")
    }

    private static func openFiles() -> Finding {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_max >= 4096 else {
            return .warn(
                "open files", "at most \(limit.rlim_max) in one process",
                "raise the hard limit (ulimit -Hn, LimitNOFILE=): each client takes two")
        }
        return .ok("open files", "up to \(limit.rlim_max) in one process")
    }

    static func contents(_ path: String) -> String? {
        (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// A child in new namespaces, to see whether they can be made.
struct NamespacedChild {
    let pid: pid_t
    private let pidfd: Int32

    struct Refused: Error, CustomStringConvertible { var description: String }

    static func start(_ path: String, _ arguments: [String] = [], namespaces: UInt64) -> Result<
        NamespacedChild, Refused
    > {
        let program = open(path, O_RDONLY | O_CLOEXEC)
        guard program >= 0 else { return .failure(Refused(description: "\(path) cannot be opened")) }
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer {
            close(program)
            close(null)
        }
        let words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var nothing: [UnsafeMutablePointer<CChar>?] = [nil]
        return words.withUnsafeBufferPointer { argv in
            nothing.withUnsafeMutableBufferPointer { envp in
                var spawn = rk_spawn()
                spawn.program = program
                spawn.argv = argv.baseAddress
                spawn.envp = UnsafePointer(envp.baseAddress)
                spawn.standard = (null, null, null)
                spawn.namespaces = namespaces
                spawn.cgroup = -1
                spawn.directory = -1
                spawn.umask = -1
                var pidfd: Int32 = -1
                var failure = rk_spawn_failure()
                let pid = rk_spawn(&spawn, &pidfd, &failure)
                guard pid > 0 else {
                    let reason = "\(String(cString: rk_spawn_stage_name(failure.stage))): "
                    return .failure(Refused(description: reason + String(cString: strerror(failure.error))))
                }
                return .success(NamespacedChild(pid: pid, pidfd: pidfd))
            }
        }
    }

    /// Ends it if it runs, and reaps it.
    func end() {
        rk_pidfd_send_signal(pidfd, SIGKILL)
        wait()
    }

    func wait() {
        var result = rk_exit()
        rk_pidfd_wait(pidfd, 1, &result)
        close(pidfd)
    }
}
