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

extension CgroupFreezer {
    public enum State: Sendable, Hashable {
        case thawed
        /// Not all of it stands still yet.
        case freezing
        case frozen
    }

    /// What the kernel says of a leaf whose directories are known by controller.
    public static func state(in directories: [String: String]) -> State {
        if let directory = directories["unified"] {
            guard CgroupFile.read("\(directory)/cgroup.freeze")?.hasPrefix("1") == true else { return .thawed }
            let events = CgroupFile.read("\(directory)/cgroup.events") ?? ""
            return events.split(separator: "\n").contains("frozen 1") ? .frozen : .freezing
        }
        return switch directories["freezer"].flatMap({ CgroupFile.read("\($0)/freezer.state") })?.prefix(7) {
        case "FROZEN\n": .frozen
        case "FREEZIN": .freezing
        default: .thawed
        }
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
