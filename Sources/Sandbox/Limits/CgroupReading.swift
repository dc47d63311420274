/// What the files of a leaf say.
extension CgroupLeaf {
    /// The memory limit in bytes; nil when there is none.
    public var memoryLimit: UInt64? {
        guard let value = number("unified", "memory.max") ?? number("memory", "memory.limit_in_bytes") else {
            return nil
        }
        // v1 writes "no limit" as the largest page-aligned 63-bit number.
        return value >= UInt64(Int64.max) - 65_536 ? nil : value
    }

    /// Where the kernel begins to take memory back, in bytes; nil where it does not, or takes no such mark.
    public var memoryHigh: UInt64? {
        guard let value = number("unified", "memory.high") ?? number("memory", "memory.soft_limit_in_bytes") else {
            return nil
        }
        return value >= UInt64(Int64.max) - 65_536 ? nil : value
    }

    /// The swap in bytes that the processes may use beyond their memory; nil when nothing bounds it.
    public var swapLimit: UInt64? {
        if directories["unified"] != nil { return number("unified", "memory.swap.max") }
        guard let both = number("memory", "memory.memsw.limit_in_bytes"), let memory = memoryLimit, both >= memory,
            both < UInt64(Int64.max) - 65_536
        else { return nil }
        return both - memory
    }

    /// The share of the CPU on the scale of cgroup v2, where 100 is the middle; nil without the controller.
    public var cpuWeight: Int? {
        if let weight = number("unified", "cpu.weight") { return Int(clamping: weight) }
        return number("cpu", "cpu.shares").map { CPUShares.weight(of: Int(clamping: $0)) }
    }

    /// The share of the disk likewise; nil without a file for it.
    public var ioWeight: Int? {
        if let text = text("unified", "io.weight") ?? text("unified", "io.bfq.weight") {
            // `default 100`, then lines of single devices.
            let fields = text.split(whereSeparator: \.isWhitespace)
            return fields.count > 1 && fields[0] == "default" ? Int(fields[1]) : fields.first.flatMap { Int($0) }
        }
        return (number("blkio", "blkio.bfq.weight") ?? number("blkio", "blkio.weight"))
            .map { BFQWeight.weight(of: Int(clamping: $0)) }
    }

    /// The CPU limit in percent of one core; nil when there is none.
    public var cpuPercent: Int? {
        if let fields = text("unified", "cpu.max")?.split(whereSeparator: \.isWhitespace), fields.count == 2 {
            guard let quota = Int(fields[0]), let period = Int(fields[1]), period > 0 else { return nil }
            return quota * 100 / period
        }
        guard let quota = number("cpu", "cpu.cfs_quota_us"), let period = number("cpu", "cpu.cfs_period_us"), period > 0
        else { return nil }
        return Int(quota) * 100 / Int(period)
    }

    /// The limit on tasks; nil when there is none.
    public var pidsLimit: UInt64? { number("unified", "pids.max") ?? number("pids", "pids.max") }

    /// Where the figures of a running session are read, by figure: `memory.current`, `memory.peak` (bytes),
    /// `memory.events` (v2: `oom_kill N`; v1 `memory.oom_control` has the same line), `cpu` (v2 `usage_usec N`; v1 one
    /// number in nanoseconds), `pids.current`. A kernel may lack some of them.
    public var statistics: [String: String] {
        var files: [String: String] = [:]
        if let directory = directories["unified"] {
            for (figure, file) in [
                ("memory.current", "memory.current"), ("memory.peak", "memory.peak"),
                ("memory.events", "memory.events"),
                ("cpu", "cpu.stat"), ("pids.current", "pids.current"),
            ] { files[figure] = "\(directory)/\(file)" }
        }
        if let directory = directories["memory"] {
            files["memory.current"] = "\(directory)/memory.usage_in_bytes"
            files["memory.peak"] = "\(directory)/memory.max_usage_in_bytes"
            files["memory.events"] = "\(directory)/memory.oom_control"
        }
        if let directory = directories["cpuacct"] { files["cpu"] = "\(directory)/cpuacct.usage" }
        if let directory = directories["pids"] { files["pids.current"] = "\(directory)/pids.current" }
        return files.filter { CgroupFile.exists($0.value) }
    }

    private func text(_ controller: String, _ file: String) -> String? {
        directories[controller].flatMap { CgroupFile.read("\($0)/\(file)") }
    }

    /// nil for `max`, for a negative number, and where there is no such file.
    private func number(_ controller: String, _ file: String) -> UInt64? {
        text(controller, file).flatMap { UInt64($0.split(whereSeparator: \.isWhitespace).first ?? "") }
    }
}
