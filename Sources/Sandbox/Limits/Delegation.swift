import CLinux
import Glibc

/// Turns the controllers on below a cgroup v2 (cgroups(7), "No internal processes" rule).
struct Delegation {
    let cgroups: Cgroups

    init(_ cgroups: Cgroups) { self.cgroups = cgroups }

    /// Whether what is missing can be turned on, as far as one can tell without trying.
    var isPossible: Bool {
        guard let base = cgroups.bases["unified"] else { return false }
        return missing(in: base).isEmpty || !isHeld(base) || isOurs(base)
    }

    /// Makes the controllers available to the children of the base. One that is ours is cleared of processes for that.
    func prepare() throws(CgroupFault) {
        guard let base = cgroups.bases["unified"], !missing(in: base).isEmpty else { return }
        // Nothing is turned on before: of controllers that can be, a cgroup with processes would become a domain of threads,
        // whose children take no process.
        if isHeld(base), isOurs(base) { evacuate(base) }
        if !isHeld(base) { enable(in: base) }
        let left = missing(in: base)
        guard left.isEmpty else {
            throw CgroupFault(
                step: "cgroup unified", errno: EBUSY,
                message: "\(base) does not hand \(left.sorted().joined(separator: ", ")) on"
                    + (isHeld(base) ? ": other processes run in it" : ""),
                remedy:
                    "start the server under systemd with its D-Bus, which then makes it a scope, or in a cgroup of its own"
            )
        }
    }

    /// Whether processes in it keep it from handing controllers on; those of the root cgroup, which alone has no type, do not.
    private func isHeld(_ base: String) -> Bool {
        CgroupFile.exists("\(base)/cgroup.type") && CgroupFile.read("\(base)/cgroup.procs")?.isEmpty != true
    }

    /// Whether all in it was left to us: by systemd, which marks it or made it for us, as the whole that a container sees, or,
    /// where nobody can be asked, by being this user's.
    private func isOurs(_ base: String) -> Bool {
        // A user's own systemd sets no mark.
        if base.split(separator: "/").last.map(SystemdScope.isName) == true { return true }
        for mark in ["trusted.delegate", "user.delegate"] where rk_attribute_is(base, mark, "1") == 1 { return true }
        let own = CgroupFile.read("/proc/self/cgroup") ?? ""
        if own.split(separator: "\n").contains("0::/") { return true }
        var status = stat()
        return !SystemdScope(processes: []).isPossible && stat(base, &status) == 0 && status.st_uid != 0
            && status.st_uid == geteuid()
    }

    /// Moves every process of the base down. Some may start others meanwhile.
    private func evacuate(_ base: String) {
        let own = "\(base)/\(Cgroups.ownGroup)"
        _ = CgroupFile.makeDirectory(own)
        for _ in 0..<64 {
            let members = (CgroupFile.read("\(base)/cgroup.procs") ?? "").split(separator: "\n")
            if members.isEmpty { return }
            for pid in members { _ = CgroupFile.write("\(own)/cgroup.procs", "\(pid)\n") }
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
}
