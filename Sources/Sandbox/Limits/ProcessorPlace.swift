import Policy
import Synchronization

/// The processors on which a session may run: chosen when its leaf is made, held by the cpuset controller. What is inside
/// may choose among them (sched_setaffinity(2)) and never leaves them.
struct ProcessorPlace {
    let parent: CgroupParent

    /// Two sessions that start at once do not choose the same.
    private static let turn = Mutex(())

    /// Binds a leaf that has its directories to as many processors as are wanted. Of several sessions each leaves out
    /// others. Where that is all of them, nothing is set.
    /// - Returns: the leaf, with its directory among v1's cpusets, and why the kernel did not take it; nil when it did.
    func bind(_ leaf: CgroupLeaf, _ name: String, to wanted: ProcessorCount?) -> (leaf: CgroupLeaf, fault: CgroupFault?)
    {
        guard let wanted, let available = Self.available(parent.cgroups),
            wanted.count(of: available.count) < available.count
        else { return (leaf, nil) }
        return Self.turn.withLock { _ in
            let chosen = available.leastUsed(wanted.count(of: available.count), besides: neighbours(of: name))
            do throws(CgroupFault) {
                switch leaf.kind {
                case .none: return (leaf, nil)
                case .v2:
                    guard let directory = leaf.directories["unified"] else { return (leaf, nil) }
                    try leaf.set("cpuset", directory, "cpuset.cpus", "\(chosen)", mustExist: false)
                    return (leaf, nil)
                case .v1:
                    guard let cpusets = parent.leaf(name).directories["cpuset"] else { return (leaf, nil) }
                    try bindV1(cpusets, to: chosen)
                    return (
                        CgroupLeaf(
                            kind: .v1, directories: leaf.directories.merging(["cpuset": cpusets]) { $1 }),
                        nil
                    )
                }
            } catch {
                return (leaf, error)
            }
        }
    }

    /// A new cpuset of v1 has neither processors nor memory, and takes no process before both are said, above it first.
    func bindV1(_ directory: String, to chosen: ProcessorList) throws(CgroupFault) {
        guard let base = parent.cgroups.bases["cpuset"], let above = parent.directories["cpuset"] else { return }
        let leaf = CgroupLeaf(kind: .v1, directories: ["cpuset": directory])
        try parent.makeDirectories(of: leaf)
        do throws(CgroupFault) {
            for file in ["cpuset.cpus", "cpuset.mems"] {
                // Written each time: a processor that was off may be back.
                guard let all = CgroupFile.read("\(base)/\(file)")?.filter({ !$0.isWhitespace }) else { continue }
                try leaf.set("cpuset", above, file, all)
                try leaf.set("cpuset", directory, file, file == "cpuset.cpus" ? "\(chosen)" : all)
            }
        } catch {
            try? leaf.end()
            throw error
        }
    }

    /// Where the other sessions are that are bound.
    private func neighbours(of name: String) -> [ProcessorList] {
        parent.leaves().filter { $0 != name }.compactMap { parent.leaf($0).processors }
    }

    /// Those that are online and that this process's own cpuset allows; nil where the kernel does not say.
    static func available(_ cgroups: Cgroups) -> ProcessorList? {
        let online = CgroupFile.read("/sys/devices/system/cpu/online").flatMap { ProcessorList(parsing: $0) }
        let allowed = [
            cgroups.bases["cpuset"].flatMap { CgroupFile.read("\($0)/cpuset.effective_cpus") },
            cgroups.bases["unified"].flatMap { CgroupFile.read("\($0)/cpuset.cpus.effective") },
        ].compactMap(\.self).compactMap { ProcessorList(parsing: $0) }.first
        guard let online, let allowed else { return online ?? allowed }
        return online.intersection(allowed)
    }
}

extension CgroupLeaf {
    /// The processors that its processes are bound to; nil when it binds them to none.
    var processors: ProcessorList? {
        for (controller, asked, effective) in [
            ("cpuset", "cpuset.cpus", "cpuset.effective_cpus"), ("unified", "cpuset.cpus", "cpuset.cpus.effective"),
        ] {
            guard let directory = directories[controller], let text = CgroupFile.read("\(directory)/\(asked)"),
                let list = ProcessorList(parsing: text)
            else { continue }
            return CgroupFile.read("\(directory)/\(effective)").flatMap { ProcessorList(parsing: $0) } ?? list
        }
        return nil
    }
}
