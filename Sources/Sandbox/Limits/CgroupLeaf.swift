import CLinux
import Glibc

/// The cgroup of one session.
public struct CgroupLeaf: Sendable, Hashable {
    public let kind: Cgroups.Kind
    /// By controller (`memory`, `cpu`, `pids`, `blkio`, `cpuacct`, `freezer`, `cpuset`), or `unified`. Empty where there are no
    /// cgroups. One that was made has a `cpuset` only where it is bound to processors.
    public let directories: [String: String]

    public init(kind: Cgroups.Kind, directories: [String: String]) {
        self.kind = kind
        self.directories = directories
    }

    /// True while it is there in any hierarchy.
    public var exists: Bool { paths.contains { CgroupFile.exists($0) } }

    private var paths: Set<String> { Set(directories.values) }

    /// Pids of the processes in it, in this process's pid namespace.
    public var members: Set<pid_t> {
        var pids: Set<pid_t> = []
        for directory in paths {
            for line in (CgroupFile.read("\(directory)/cgroup.procs") ?? "").split(separator: "\n") {
                // 0 stands for a process of a pid namespace that cannot be seen from here.
                if let pid = pid_t(line), pid > 0 { pids.insert(pid) }
            }
        }
        return pids
    }

    /// Sends SIGKILL to everything in it. On v2 the kernel does it in one step; on v1 nothing in it can fork from here on,
    /// and ``end(within:)`` repeats it for what was being forked. Idempotent.
    public func kill() {
        if let directory = directories["unified"], CgroupFile.write("\(directory)/cgroup.kill", "1\n") == 0 { return }
        for controller in ["pids", "unified"] {
            if let directory = directories[controller] { _ = CgroupFile.write("\(directory)/pids.max", "0\n") }
        }
        for pid in members {
            let descriptor = rk_pidfd_open(pid)
            guard descriptor >= 0 else { continue }
            // The pid may have been given to a stranger since it was read; with the pidfd open it cannot change again.
            if members.contains(pid) { _ = rk_pidfd_send_signal(descriptor, SIGKILL) }
            close(descriptor)
        }
        // A frozen process dies only once it is thawed (sandbox contract, finding 9): signal first, then thaw.
        if let freezer { _ = CgroupFile.write(freezer.path, freezer.thaw) }
    }

    /// Kills everything in it and removes it, trying again while it drains.
    public func end(within milliseconds: Int = 5000) throws(CgroupFault) {
        var waited = 0
        var pause = 1
        while true {
            kill()
            var refused: (path: String, code: Int32)?
            for path in paths {
                let code = remove(path)
                if code != 0 { refused = (path, code) }
            }
            guard let refused else { return }
            guard waited < milliseconds, refused.code == EBUSY || refused.code == EAGAIN else {
                throw CgroupFault(
                    step: "cgroup", errno: refused.code,
                    message: "cannot remove \(refused.path): \(CgroupFile.text(refused.code))",
                    remedy: "see which processes are in its cgroup.procs; one in state D must finish its I/O first")
            }
            usleep(UInt32(pause * 1000))
            waited += pause
            pause = min(pause * 2, 50)
        }
    }

    /// Removes a directory with those below it, which only a delegated subtree can have.
    private func remove(_ path: String) -> Int32 {
        let code = CgroupFile.removeDirectory(path)
        guard code == EBUSY || code == ENOTEMPTY else { return code == ENOENT ? 0 : code }
        for child in CgroupFile.directories(in: path) { _ = remove("\(path)/\(child)") }
        let again = CgroupFile.removeDirectory(path)
        return again == ENOENT ? 0 : again
    }

    /// Writes one value. A file that does not exist is a controller or an option the kernel lacks: unless it must be
    /// there, that is no fault, and the report will say that nothing holds.
    func set(
        _ controller: String, _ directory: String, _ file: String, _ value: String, mustExist: Bool = true
    ) throws(CgroupFault) {
        let path = "\(directory)/\(file)"
        let code = CgroupFile.write(path, value + "\n")
        if code == 0 || (code == ENOENT && !mustExist) { return }
        throw CgroupFault(
            step: "cgroup \(controller)", errno: code,
            message: "cannot write \(value) to \(path): \(CgroupFile.text(code))",
            remedy: code == EINVAL
                ? "the kernel takes no such value: change the policy's limits"
                : "let the launcher write its own cgroups, or run it with --rootless")
    }
}
