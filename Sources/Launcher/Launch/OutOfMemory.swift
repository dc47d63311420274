import Glibc

/// Whom the kernel kills first when the box as a whole has no memory left (proc_pid_oom_score_adj(5)).
public enum OutOfMemory: String {
    /// The launcher itself; the supervisor sets the same for itself, and both keep it.
    case service = "-900"
    case worker = "-500"
    /// pid 1 of a sandbox: never, since the session as a whole ends with it. Also not within the session's own limit.
    case sandboxInit = "-1000"
    /// What runs in a session goes before everything else.
    case session = "500"

    /// Best effort: only root may lower the value.
    public static func protect(_ pid: Int32, _ rank: OutOfMemory) {
        let file = open("/proc/\(pid)/oom_score_adj", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        if write(file, rank.rawValue, rank.rawValue.utf8.count) < 0, rank == .sandboxInit { _ = write(file, "0", 1) }
        close(file)
    }
}
