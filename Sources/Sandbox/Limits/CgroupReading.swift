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
