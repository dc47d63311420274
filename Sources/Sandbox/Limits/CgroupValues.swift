public import Policy

/// Turns the limits of a policy into cgroup values, and says what really holds.
public enum CgroupValues {
    /// Period of the CPU bandwidth control, in microseconds: the kernel's default.
    static let period = 100_000

    /// Writes the limits, then reads them back: the report is what the kernel says.
    static func write(
        _ limits: ResourceLimits, to leaf: CgroupLeaf, cgroups: Cgroups
    ) throws(CgroupFault) -> [EnforcedLimit] {
        switch cgroups.kind {
        case .none: break
        case .v2: try writeV2(limits, to: leaf)
        case .v1: try writeV1(limits, to: leaf)
        }
        return report(limits, cgroups: cgroups, leaf: leaf)
    }

    private static func writeV2(_ limits: ResourceLimits, to leaf: CgroupLeaf) throws(CgroupFault) {
        guard let directory = leaf.directories["unified"] else { return }
        let memory = limits.memory.bytes
        // Throttling a little below the limit gives the kernel room to reclaim before it must kill.
        try leaf.set("memory", directory, "memory.high", "\(memory / 100 * 95)", mustExist: false)
        try leaf.set("memory", directory, "memory.max", "\(memory)", mustExist: false)
        try leaf.set("memory", directory, "memory.swap.max", "0", mustExist: false)
        // One process killed at random leaves a session that is neither alive nor dead (sandbox contract, finding 8).
        try leaf.set("memory", directory, "memory.oom.group", "1", mustExist: false)
        try leaf.set("cpu", directory, "cpu.max", "\(limits.cpuPercent * period / 100) \(period)", mustExist: false)
        try leaf.set("pids", directory, "pids.max", "\(limits.pids)", mustExist: false)
    }

    private static func writeV1(_ limits: ResourceLimits, to leaf: CgroupLeaf) throws(CgroupFault) {
        if let directory = leaf.directories["memory"] {
            try leaf.set("memory", directory, "memory.limit_in_bytes", "\(limits.memory.bytes)")
            // Memory and swap together, where swap is accounted: never below the limit, so written second.
            try leaf.set("memory", directory, "memory.memsw.limit_in_bytes", "\(limits.memory.bytes)", mustExist: false)
        }
        if let directory = leaf.directories["cpu"] {
            try leaf.set("cpu", directory, "cpu.cfs_period_us", "\(period)", mustExist: false)
            try leaf.set("cpu", directory, "cpu.cfs_quota_us", "\(limits.cpuPercent * period / 100)", mustExist: false)
        }
        if let directory = leaf.directories["pids"] {
            try leaf.set("pids", directory, "pids.max", "\(limits.pids)")
        }
    }

    /// Every limit as asked and as it holds in the leaf; what no cgroup holds is the rlimit's, or nobody's.
    public static func report(_ limits: ResourceLimits, cgroups: Cgroups, leaf: CgroupLeaf) -> [EnforcedLimit] {
        let why = cgroups.reason ?? "the kernel does not offer it here"
        var report: [EnforcedLimit] = []

        let memory = leaf.memoryLimit
        let enforcedMemory = memory.map { "\(ByteSize(bytes: $0))" }
        report.append(
            EnforcedLimit(
                name: "memory", asked: "\(limits.memory)", enforced: enforcedMemory,
                by: memory == nil ? "none" : "cgroup-\(cgroups.kind.rawValue)",
                note: memory == nil ? "nothing bounds the memory of all processes together: \(why)" : nil))

        let cpu = leaf.cpuPercent
        report.append(
            EnforcedLimit(
                name: "cpu_percent", asked: "\(limits.cpuPercent)", enforced: cpu.map { "\($0)" },
                by: cpu == nil ? "none" : "cgroup-\(cgroups.kind.rawValue)",
                note: cpu == nil ? "nothing bounds CPU time: \(why)" : nil))

        if let pids = leaf.pidsLimit {
            report.append(
                EnforcedLimit(
                    name: "pids", asked: "\(limits.pids)", enforced: "\(pids)", by: "cgroup-\(cgroups.kind.rawValue)"))
        } else {
            report.append(
                EnforcedLimit(
                    name: "pids", asked: "\(limits.pids)", enforced: "\(limits.pids)", by: "rlimit",
                    note: "RLIMIT_NPROC of the session's user namespace: \(why)"))
        }
        report.append(
            EnforcedLimit(
                name: "open_files", asked: "\(limits.openFiles)", enforced: "\(limits.openFiles)", by: "rlimit",
                note: "of each process"))
        report.append(
            EnforcedLimit(
                name: "temporary", asked: "\(limits.temporary)", enforced: "\(limits.temporary)", by: "tmpfs"))
        return report
    }
}
