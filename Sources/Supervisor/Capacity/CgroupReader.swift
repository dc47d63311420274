import Foundation

/// Reads what a session uses from its cgroup's files, v1 or v2. The directories are those the launcher named, by
/// controller: `memory`, `cpu`, `pids`; `unified` for v2.
struct CgroupReader: Sendable {
    let directories: [String: String]

    var isEmpty: Bool { directories.isEmpty }

    func stats() -> SessionStats {
        directories["unified"].map(unified) ?? split()
    }

    /// Processes that the kernel killed for memory, since the cgroup was made; nil where it cannot be told.
    func oomKills() -> Int? {
        if let directory = directories["unified"] { return field("oom_kill", in: "\(directory)/memory.events") }
        return directories["memory"].flatMap { field("oom_kill", in: "\($0)/memory.oom_control") }
    }

    /// Bytes that cannot be had back without ending something: all but the file pages that nobody used lately. nil where
    /// it cannot be told, or is below `floor` in any case.
    func workingSet(above floor: UInt64) -> UInt64? {
        let v2 = directories["unified"]
        guard let directory = v2 ?? directories["memory"],
            let used = number("\(directory)/\(v2 == nil ? "memory.usage_in_bytes" : "memory.current")"), used >= floor,
            let idle = field(v2 == nil ? "total_inactive_file" : "inactive_file", in: "\(directory)/memory.stat")
        else { return nil }
        let rest = used - min(used, UInt64(max(idle, 0)))
        return rest >= floor ? rest : nil
    }

    private func unified(_ directory: String) -> SessionStats {
        SessionStats(
            memoryBytes: number("\(directory)/memory.current"), memoryPeakBytes: number("\(directory)/memory.peak"),
            memoryLimitBytes: number("\(directory)/memory.max"),
            cpuSeconds: field("usage_usec", in: "\(directory)/cpu.stat").map { Double($0) / 1_000_000 },
            pids: number("\(directory)/pids.current").map { Int(clamping: $0) },
            pidsLimit: number("\(directory)/pids.max").map { Int(clamping: $0) }, oomKills: oomKills())
    }

    private func split() -> SessionStats {
        let memory = directories["memory"]
        let cpu = directories["cpuacct"] ?? directories["cpu"]
        let pids = directories["pids"]
        // v1 writes "no limit" as the largest multiple of a page.
        let limit = memory.flatMap { number("\($0)/memory.limit_in_bytes") }.flatMap { $0 > 1 << 60 ? nil : $0 }
        return SessionStats(
            memoryBytes: memory.flatMap { number("\($0)/memory.usage_in_bytes") },
            memoryPeakBytes: memory.flatMap { number("\($0)/memory.max_usage_in_bytes") }, memoryLimitBytes: limit,
            cpuSeconds: cpu.flatMap { number("\($0)/cpuacct.usage") }.map { Double($0) / 1_000_000_000 },
            pids: pids.flatMap { number("\($0)/pids.current") }.map { Int(clamping: $0) },
            pidsLimit: pids.flatMap { number("\($0)/pids.max") }.map { Int(clamping: $0) }, oomKills: oomKills())
    }

    private func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    /// nil for `max` too.
    private func number(_ path: String) -> UInt64? {
        text(path).flatMap { UInt64($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    private func field(_ name: String, in path: String) -> Int? {
        for line in text(path)?.split(separator: "\n") ?? [] {
            let parts = line.split(separator: " ")
            if parts.count == 2, parts[0] == name { return Int(parts[1]) }
        }
        return nil
    }
}
