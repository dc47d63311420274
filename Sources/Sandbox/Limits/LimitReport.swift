public import Policy

/// Every limit of a policy as asked and as it really holds: what can be read back from the kernel is read back.
public enum LimitReport {
    // MARK: By cgroup

    /// The limits that cgroups hold. Without a controller for processes their number is the rlimit's.
    /// - Parameter unbound: why the kernel did not bind the leaf to processors, where it refused.
    public static func cgroup(
        _ limits: ResourceLimits, cgroups: Cgroups, leaf: CgroupLeaf, unbound: String? = nil
    ) -> [EnforcedLimit] {
        let root = cgroups.kind == .v2 ? cgroups.bases["unified"] : nil
        return cgroup(
            limits, cgroups: cgroups, leaf: leaf, scheduling: .detect(controllers: root),
            available: ProcessorPlace.available(cgroups), unbound: unbound)
    }

    static func cgroup(
        _ limits: ResourceLimits, cgroups: Cgroups, leaf: CgroupLeaf, scheduling: IOScheduling,
        available: ProcessorList?, unbound: String? = nil
    ) -> [EnforcedLimit] {
        let why = cgroups.reason ?? "the kernel does not offer it here"
        let by = "cgroup-\(cgroups.kind.rawValue)"
        func entry(_ name: String, _ asked: some CustomStringConvertible, _ held: String?, else lack: String)
            -> EnforcedLimit
        {
            EnforcedLimit(
                name: name, asked: "\(asked)", enforced: held, by: held == nil ? "none" : by,
                note: held == nil ? "\(lack): \(why)" : nil)
        }
        var report = [
            entry(
                "memory", limits.memory, leaf.memoryLimit.map(Self.size),
                else: "nothing bounds the memory of all processes together"),
            entry(
                "memory_high", limits.effectiveMemoryHigh, leaf.memoryHigh.map(Self.size), else: "there is no mark"),
            swap(limits, leaf, by: by, why: why),
            entry("cpu_percent", limits.cpuPercent, leaf.cpuPercent.map { "\($0)" }, else: "nothing bounds CPU time"),
            entry("cpu_weight", limits.cpuWeight, leaf.cpuWeight.map { "\($0)" }, else: "all get the same share"),
            processors(limits.processors, leaf, available: available, fault: unbound, by: by, why: why),
            ioWeight(limits, leaf, by: by, why: why, scheduling),
        ]
        if cgroups.kind == .v1, leaf.memoryHigh != nil {
            report[1].note = "warned of and recycled; cgroup v1 cannot slow a session down"
        }
        if let pids = leaf.pidsLimit {
            report.append(EnforcedLimit(name: "pids", asked: "\(limits.pids)", enforced: "\(pids)", by: by))
        } else {
            report.append(
                EnforcedLimit(
                    name: "pids", asked: "\(limits.pids)", enforced: "\(limits.pids)", by: "rlimit",
                    note: "RLIMIT_NPROC of the session's user namespace: \(why)"))
        }
        return report
    }

    private static func swap(_ limits: ResourceLimits, _ leaf: CgroupLeaf, by: String, why: String) -> EnforcedLimit {
        if let swap = leaf.swapLimit {
            return EnforcedLimit(name: "swap", asked: "\(limits.swap)", enforced: size(swap), by: by)
        }
        // /proc/swaps has a heading, then a line for each.
        let machineHasNone = CgroupFile.read("/proc/swaps")?.split(separator: "\n").count == 1
        return EnforcedLimit(
            name: "swap", asked: "\(limits.swap)", enforced: machineHasNone ? "0" : nil,
            by: machineHasNone ? "kernel" : "none",
            note: machineHasNone ? "this machine has no swap" : "swap is not counted: \(why)")
    }

    private static func ioWeight(
        _ limits: ResourceLimits, _ leaf: CgroupLeaf, by: String, why: String, _ scheduling: IOScheduling
    ) -> EnforcedLimit {
        var entry = EnforcedLimit(name: "io_weight", asked: "\(limits.ioWeight)", enforced: nil, by: "none")
        if leaf.ioWeight == nil {
            entry.note = "all get the same share: \(why)"
        } else if scheduling.usesBFQ || (leaf.kind == .v2 && scheduling.usesCosts) {
            entry.enforced = leaf.ioWeight.map { "\($0)" }
            entry.by = by
        } else {
            entry.note =
                "written, and no disk of this machine heeds it: choose bfq in /sys/block/<disk>/queue/scheduler"
        }
        return entry
    }

    // MARK: Inside

    /// The limits that rookery-init sets. `inside` is what it has; nil: it cannot be asked, or does not run yet.
    public static func inside(_ limits: ResourceLimits, _ inside: InsideLimits?) -> [EnforcedLimit] {
        var fileSize = EnforcedLimit(
            name: "file_size", asked: unlimited, enforced: nil, by: "none", note: unset)
        if let asked = limits.effectiveFileSize {
            fileSize = EnforcedLimit(
                name: "file_size", asked: "\(asked)", enforced: inside?.fileSize.map(size) ?? "\(asked)", by: "rlimit",
                note: "of each file")
        }
        let (temporary, shared) = (limits.temporary, limits.effectiveSharedMemory)
        return [
            EnforcedLimit(
                name: "open_files", asked: "\(limits.openFiles)",
                enforced: "\(inside?.openFiles ?? UInt64(clamping: limits.openFiles))", by: "rlimit",
                note: "of each process"),
            fileSize,
            EnforcedLimit(
                name: "temporary", asked: "\(temporary)", enforced: inside?.temporary.map(size) ?? "\(temporary)",
                by: "tmpfs", note: "counts as memory"),
            EnforcedLimit(
                name: "shared_memory", asked: "\(shared)", enforced: inside?.sharedMemory.map(size) ?? "\(shared)",
                by: "tmpfs", note: "counts as memory"),
        ]
    }

    // MARK: On disk

    /// A disk limit that nothing holds.
    public static func disk(_ limits: ResourceLimits, notEnforced reason: String) -> [EnforcedLimit] {
        [
            notEnforced("disk", limits.disk, reason), notEnforced("inodes", limits.effectiveInodes, reason),
            notEnforced("unwritten", limits.unwritten, reason),
        ]
    }

    /// A limit that nothing holds, or that the policy does not set.
    public static func notEnforced(
        _ name: String, _ asked: (some CustomStringConvertible)?, _ reason: String
    ) -> EnforcedLimit {
        EnforcedLimit(
            name: name, asked: asked?.description ?? unlimited, enforced: nil, by: "none",
            note: asked == nil ? unset : reason)
    }

    // MARK: Together

    /// Every name of ``ResourceLimits`` once, in the order of a policy; what belongs to none of them comes last.
    public static func ordered(_ limits: [EnforcedLimit]) -> [EnforcedLimit] {
        let names = ResourceLimits.names
        return limits.sorted {
            (names.firstIndex(of: $0.name) ?? names.count) < (names.firstIndex(of: $1.name) ?? names.count)
        }
    }

    /// What a limit that the policy does not set is asked as.
    static let unlimited = "none"
    private static let unset = "the policy sets none"

    static func size(_ bytes: UInt64) -> String { "\(ByteSize(bytes: bytes))" }
}
