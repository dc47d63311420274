import CLinux
import Foundation

/// What the kernel offers.
enum KernelChecks {
    static func all() -> [Finding] {
        [
            version(), userNamespaces(), systemCalls(), seccomp(), LandlockCheck.finding(), openFiles(),
            PreemptionCheck.finding(),
        ]
    }

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

    private static let namespaces = [
        ("mount", RK_NEW_MOUNT), ("pid", RK_NEW_PID), ("network", RK_NEW_NET), ("ipc", RK_NEW_IPC), ("uts", RK_NEW_UTS),
        ("cgroup", RK_NEW_CGROUP), ("time", RK_NEW_TIME),
    ]

    /// Really makes them, each with a user namespace, as a session's launch does.
    private static func userNamespaces() -> Finding {
        let name = "user namespaces"
        let user = UInt64(RK_NEW_USER)
        var refused: [String] = []
        for (kind, flag) in [("user", 0)] + namespaces {
            switch NamespacedChild.start("/bin/true", namespaces: user | UInt64(flag)) {
            case .success(let child): child.wait()
            case .failure(let failure): refused.append("\(kind) (\(failure))")
            }
        }
        guard refused.isEmpty else {
            return .fail(
                name, "cannot be made: \(refused.joined(separator: ", "))",
                namespaceRemedies { contents("/proc/sys/\($0)") }.joined(separator: "; "))
        }
        return .ok(name, "user, mount, pid, network, ipc, uts, cgroup and time namespaces can be made")
    }

    /// What forbids user namespaces here, by sysctl.
    static func namespaceRemedies(_ sysctl: (String) -> String?) -> [String] {
        var remedies: [String] = []
        if sysctl("kernel/unprivileged_userns_clone") == "0" {
            remedies.append("sysctl -w kernel.unprivileged_userns_clone=1")
        }
        if sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1" {
            remedies.append(
                "give rookery-launcher and rookery-init an AppArmor profile with 'userns,', or sysctl -w "
                    + "kernel.apparmor_restrict_unprivileged_userns=0")
        }
        if sysctl("user/max_user_namespaces") == "0" { remedies.append("sysctl -w user.max_user_namespaces=10000") }
        return remedies.isEmpty
            ? ["in a container, allow clone with namespaces (seccomp, AppArmor); else use a later kernel"] : remedies
    }

    /// The calls that a launch is made of, each tried with arguments that do nothing. clone3 is proved by the namespaces.
    private static func systemCalls() -> Finding {
        let name = "system calls"
        var missing: [String] = []
        let pidfd = rk_pidfd_open(getpid())
        if pidfd < 0 { missing.append("pidfd_open") } else { close(pidfd) }
        let root = rk_open(AT_FDCWD, "/", UInt64(RK_OPEN_PATH), 0, UInt64(RK_RESOLVE_NO_SYMLINKS))
        if root < 0 { missing.append("openat2") } else { close(root) }
        // Nothing is behind descriptor -1: what is there says so.
        if rk_set_mount(-1, 0, -1, false) == -ENOSYS { missing.append("mount_setattr") }
        if rk_attach_mount(-1, -1, "") == -ENOSYS { missing.append("move_mount") }
        guard missing.isEmpty else {
            return .fail(
                name, "\(missing.joined(separator: ", ")) cannot be called",
                "run Linux 5.12 or later; in a container, with a seccomp profile of this decade")
        }
        return .ok(name, "clone3, pidfd_open, openat2, mount_setattr and move_mount")
    }

    private static func seccomp() -> Finding {
        guard let actions = contents("/proc/sys/kernel/seccomp/actions_avail") else {
            return .fail("seccomp", "this kernel has no seccomp filters", "use a kernel with CONFIG_SECCOMP_FILTER")
        }
        let has = Set(actions.split(separator: " "))
        guard has.contains("errno"), has.contains("kill_process") else {
            return .fail("seccomp", "actions: \(actions)", "use a kernel whose seccomp has errno and kill_process")
        }
        guard has.contains("user_notif") else {
            return .warn(
                "seccomp", "filters without user notification: violations are refused, not counted",
                "run Linux 5.0 or later")
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
