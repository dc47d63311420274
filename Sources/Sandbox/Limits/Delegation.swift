import Glibc

/// Turns the controllers on below a cgroup v2 (cgroups(7), "No internal processes" rule).
struct Delegation {
    let cgroups: Cgroups

    init(_ cgroups: Cgroups) { self.cgroups = cgroups }

    /// Makes the controllers available to the children of the base. Where the base is not the root it must not hold
    /// processes itself: this process and its supervisor are then moved to a child of it.
    func prepare() throws(CgroupFault) {
        guard let base = cgroups.bases["unified"], !missing(in: base).isEmpty else { return }
        enable(in: base)
        guard !missing(in: base).isEmpty else { return }
        let own = "\(base)/\(Cgroups.ownGroup)"
        _ = CgroupFile.makeDirectory(own)
        for pid in [getppid(), getpid()] where isMember(pid, of: base) {
            _ = CgroupFile.write("\(own)/cgroup.procs", "\(pid)\n")
        }
        enable(in: base)
        let left = missing(in: base)
        guard left.isEmpty else {
            _ = CgroupFile.removeDirectory(own)
            throw CgroupFault(
                step: "cgroup unified", errno: EBUSY,
                message: "\(base) does not hand \(left.sorted().joined(separator: ", ")) on: other processes run in it",
                remedy: "start the supervisor in a cgroup of its own (systemd: Delegate=yes)")
        }
    }

    /// Turns on what the kernel allows of our controllers.
    func enable(in directory: String) {
        for controller in missing(in: directory) {
            _ = CgroupFile.write("\(directory)/cgroup.subtree_control", "+\(controller)\n")
        }
    }

    private func missing(in directory: String) -> Set<String> {
        let enabled = CgroupFile.read("\(directory)/cgroup.subtree_control") ?? ""
        return cgroups.controllers.subtracting(enabled.split(whereSeparator: \.isWhitespace).map(String.init))
    }

    private func isMember(_ pid: pid_t, of directory: String) -> Bool {
        (CgroupFile.read("\(directory)/cgroup.procs") ?? "").split(separator: "\n").contains("\(pid)")
    }
}
