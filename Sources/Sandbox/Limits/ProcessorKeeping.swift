import Glibc

/// Keeps single sessions, for a while, to half of the processors, all of them to the same: whoever else has something to do
/// finds the other half free. On one processor there is nothing to keep free.
///
/// A session whose policy binds it to processors stays where that says. Best effort: a leaf may go at any moment.
public struct ProcessorKeeping: Sendable {
    private let parent: CgroupParent
    /// v1: below a session's own cpuset, so that who is kept is told from who is bound.
    private static let name = "kept"
    /// Processes may be made while others are moved.
    private static let rounds = 4

    public init(_ parent: CgroupParent) { self.parent = parent }

    /// Whether nothing but this binds it to some of them.
    public func canKeep(_ leafName: String) -> Bool {
        let leaf = parent.leaf(leafName)
        guard let available = ProcessorPlace.available(parent.cgroups), available.count > 1 else { return false }
        switch leaf.kind {
        case .none: return false
        case .v2: return leaf.exists && (leaf.processors ?? available) == available
        case .v1:
            guard let cpuset = leaf.directories["cpuset"] else { return false }
            return CgroupFile.exists("\(cpuset)/\(Self.name)") || !CgroupFile.exists(cpuset)
        }
    }

    /// - Returns: whether it is kept from here on.
    public func keep(_ leafName: String) -> Bool {
        let leaf = parent.leaf(leafName)
        guard canKeep(leafName), let available = ProcessorPlace.available(parent.cgroups) else { return false }
        let half = available.upperHalf
        switch leaf.kind {
        case .none: return false
        case .v2:
            guard let directory = leaf.directories["unified"] else { return false }
            return CgroupFile.write("\(directory)/cpuset.cpus", "\(half)\n") == 0
        case .v1:
            guard let cpuset = leaf.directories["cpuset"] else { return false }
            return keepV1(leafName, in: cpuset, "\(cpuset)/\(Self.name)", all: available, half: half)
        }
    }

    /// Ends what ``keep(_:)`` began.
    public func letGo(_ leafName: String) {
        let leaf = parent.leaf(leafName)
        switch leaf.kind {
        case .none: break
        case .v2:
            // To say nothing again is not allowed to a cgroup with processes.
            guard let directory = leaf.directories["unified"], let available = ProcessorPlace.available(parent.cgroups)
            else { return }
            _ = CgroupFile.write("\(directory)/cpuset.cpus", "\(available)\n")
        case .v1:
            guard let cpuset = leaf.directories["cpuset"], let base = parent.cgroups.bases["cpuset"],
                CgroupFile.exists("\(cpuset)/\(Self.name)")
            else { return }
            let kept = "\(cpuset)/\(Self.name)"
            for _ in 0..<Self.rounds {
                let left = CgroupLeaf(kind: .v1, directories: ["cpuset": kept]).members
                if left.isEmpty { break }
                for pid in left { _ = CgroupFile.write("\(base)/cgroup.procs", "\(pid)") }
            }
            for directory in [kept, cpuset] { _ = CgroupFile.removeDirectory(directory) }
            parent.removeIfEmpty()
        }
    }

    private func keepV1(
        _ leafName: String, in cpuset: String, _ kept: String, all: ProcessorList, half: ProcessorList
    ) -> Bool {
        let group = CgroupLeaf(kind: .v1, directories: ["cpuset": kept])
        do throws(CgroupFault) {
            try ProcessorPlace(parent: parent).bindV1(cpuset, to: all)
            _ = CgroupFile.makeDirectory(kept)
            try group.set("cpuset", kept, "cpuset.cpus", "\(half)")
            try group.set("cpuset", kept, "cpuset.mems", CgroupFile.read("\(cpuset)/cpuset.mems") ?? "")
        } catch {
            letGo(leafName)
            return false
        }
        let session = CgroupLeaf(
            kind: .v1, directories: parent.leaf(leafName).directories.filter { $0.key != "cpuset" })
        for _ in 0..<Self.rounds {
            let outside = session.members.subtracting(group.members)
            if outside.isEmpty { break }
            for pid in outside { _ = CgroupFile.write("\(kept)/cgroup.procs", "\(pid)") }
        }
        // A number may have been given to a stranger since it was read.
        let strangers = group.members.subtracting(session.members)
        if let base = parent.cgroups.bases["cpuset"] {
            for pid in strangers { _ = CgroupFile.write("\(base)/cgroup.procs", "\(pid)") }
        }
        // It ended meanwhile, and nobody would remove what was made since.
        guard session.exists else {
            letGo(leafName)
            return false
        }
        return true
    }
}
