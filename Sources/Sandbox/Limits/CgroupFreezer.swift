import Glibc

/// The file that stops and continues everything in a cgroup, and what is written to it.
public struct CgroupFreezer: Sendable, Hashable {
    public var path: String
    public var freeze: String
    public var thaw: String

    /// For somebody who may freeze and thaw this one cgroup and nothing else: what the file's owner may do, a write
    /// through this descriptor may too.
    public func open() throws(CgroupFault) -> OwnedDescriptor {
        let descriptor = Glibc.open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CgroupFault(
                step: "cgroup freezer", errno: errno, message: "cannot open \(path): \(CgroupFile.text(errno))",
                remedy: "let the launcher write its own cgroups")
        }
        return OwnedDescriptor(owning: descriptor)
    }
}

extension CgroupLeaf {
    /// nil where the kernel has none.
    public var freezer: CgroupFreezer? {
        if let directory = directories["unified"] {
            return CgroupFreezer(path: "\(directory)/cgroup.freeze", freeze: "1\n", thaw: "0\n")
        }
        return directories["freezer"].map {
            CgroupFreezer(path: "\($0)/freezer.state", freeze: "FROZEN\n", thaw: "THAWED\n")
        }
    }
}
