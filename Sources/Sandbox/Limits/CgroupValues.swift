import Policy

/// Turns the limits of a policy into cgroup values. What then really holds is read back by ``LimitReport``.
enum CgroupValues {
    /// Period of the CPU bandwidth control, in microseconds: the kernel's default.
    static let period = 100_000

    static func write(_ limits: ResourceLimits, to leaf: CgroupLeaf) throws(CgroupFault) {
        switch leaf.kind {
        case .none: break
        case .v2: try writeV2(limits, to: leaf)
        case .v1: try writeV1(limits, to: leaf)
        }
    }

    private static func writeV2(_ limits: ResourceLimits, to leaf: CgroupLeaf) throws(CgroupFault) {
        guard let directory = leaf.directories["unified"] else { return }
        func set(_ controller: String, _ file: String, _ value: String) throws(CgroupFault) {
            try leaf.set(controller, directory, file, value, mustExist: false)
        }
        // Above it the kernel slows the session and takes memory back before it must kill.
        try set("memory", "memory.high", "\(limits.effectiveMemoryHigh.bytes)")
        try set("memory", "memory.max", "\(limits.memory.bytes)")
        try set("memory", "memory.swap.max", "\(limits.swap.bytes)")
        // Out of memory ends one process, not the session: its pid 1 is exempt (decision 0011).
        try set("memory", "memory.oom.group", "0")
        try set("cpu", "cpu.max", "\(limits.cpuPercent * period / 100) \(period)")
        try set("cpu", "cpu.weight", "\(limits.cpuWeight)")
        try set("pids", "pids.max", "\(limits.pids)")
        try set("io", "io.weight", "default \(limits.ioWeight)")
        try set("io", "io.bfq.weight", "\(BFQWeight.bfq(of: limits.ioWeight))")
    }

    private static func writeV1(_ limits: ResourceLimits, to leaf: CgroupLeaf) throws(CgroupFault) {
        if let directory = leaf.directories["memory"] {
            let memory = limits.memory.bytes
            try leaf.set("memory", directory, "memory.limit_in_bytes", "\(memory)")
            // Memory and swap together, where swap is accounted: never below the limit, so written second.
            try leaf.set(
                "memory", directory, "memory.memsw.limit_in_bytes", "\(memory + limits.swap.bytes)", mustExist: false)
            try leaf.set(
                "memory", directory, "memory.soft_limit_in_bytes", "\(limits.effectiveMemoryHigh.bytes)",
                mustExist: false)
        }
        if let directory = leaf.directories["cpu"] {
            try leaf.set("cpu", directory, "cpu.cfs_period_us", "\(period)", mustExist: false)
            try leaf.set("cpu", directory, "cpu.cfs_quota_us", "\(limits.cpuPercent * period / 100)", mustExist: false)
            try leaf.set("cpu", directory, "cpu.shares", "\(CPUShares.shares(of: limits.cpuWeight))", mustExist: false)
        }
        if let directory = leaf.directories["pids"] {
            try leaf.set("pids", directory, "pids.max", "\(limits.pids)")
        }
        if let directory = leaf.directories["blkio"] {
            let weight = BFQWeight.bfq(of: limits.ioWeight)
            try leaf.set("blkio", directory, "blkio.bfq.weight", "\(weight)", mustExist: false)
            // The scale of the scheduler before BFQ began at 10.
            try leaf.set("blkio", directory, "blkio.weight", "\(max(weight, 10))", mustExist: false)
        }
    }
}
