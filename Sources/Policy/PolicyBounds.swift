/// What a limit may be, wherever it comes from: the policy's file, the API, the launcher's protocol.
public enum PolicyBounds {
    /// Claude Code dies below 160 MiB and needs 256 MiB for its TUI to live (sandbox contract, 3.5 and 3.9).
    public static let memory = ByteSize.mebibytes(256)...ByteSize.gibibytes(1024)
    public static let memoryHigh = ByteSize.mebibytes(128)...ByteSize.gibibytes(1024)
    public static let swap = ByteSize(bytes: 0)...ByteSize.gibibytes(1024)
    public static let cpuPercent = 5...100_000
    /// Of CPU and disk bandwidth, as cgroup v2 has it.
    public static let weight = 1...10_000
    /// As many as Linux knows of (CONFIG_NR_CPUS).
    public static let processors = 1...8192
    public static let pids = 16...65_536
    public static let openFiles = 64...1_048_576
    public static let fileSize = ByteSize.mebibytes(1)...ByteSize.gibibytes(65_536)
    public static let temporary = ByteSize.mebibytes(1)...ByteSize.gibibytes(1024)
    public static let sharedMemory = ByteSize.mebibytes(1)...ByteSize.gibibytes(1024)
    /// A home and a small checkout fit in the least.
    public static let disk = ByteSize.mebibytes(16)...ByteSize.gibibytes(65_536)
    public static let inodes = 256...2_000_000_000
    /// Below the least, writers wait for single pages.
    public static let unwritten = ByteSize(bytes: 256 << 10)...ByteSize.gibibytes(1024)
    public static let logBytes = ByteSize(bytes: 64 << 10)...ByteSize.mebibytes(256)
    public static let requestBodies = ByteSize(bytes: 1 << 10)...ByteSize.mebibytes(1)
    public static let idleTimeout = TimeSpan.seconds(1)...TimeSpan.longest
    public static let reapWarning = TimeSpan.seconds(0)...TimeSpan.hours(24)
    public static let grace = TimeSpan.seconds(0)...TimeSpan.minutes(10)
    public static let maxLifetime = TimeSpan.seconds(1)...TimeSpan.longest
    public static let journalBytes = ByteSize.mebibytes(1)...ByteSize.gibibytes(1024)
    public static let journalAge = TimeSpan.minutes(1)...TimeSpan.longest
    public static let permissionTimeout = TimeSpan.seconds(1)...TimeSpan.hours(24 * 30)
    public static let egressConnections = 1...1024
    public static let egressTenantConnections = 1...16_384
    /// A second.
    public static let egressBandwidth = ByteSize(bytes: 1 << 10)...ByteSize.gibibytes(100)
    /// A day.
    public static let egressDaily = ByteSize.mebibytes(1)...ByteSize.gibibytes(1 << 20)
    /// For one tenant. Each is a sandbox with Claude Code in it, some 200 MiB.
    public static let spareCount = 0...8
    public static let spareAge = TimeSpan.minutes(1)...TimeSpan.hours(24)
    public static let spareLinger = TimeSpan.minutes(1)...TimeSpan.hours(24 * 7)
    public static let cols = 2...500
    public static let rows = 2...300
}

extension ResourceLimits {
    /// A value that cannot be: its key, and the range that it must be in.
    public typealias Fault = (key: String, value: String, allowed: String)

    /// The first value outside ``PolicyBounds``, or at odds with another; nil when all are fine.
    public var outOfBounds: Fault? {
        let faults: [Fault?] = [
            check("memory", memory, PolicyBounds.memory),
            check("memory_high", memoryHigh, PolicyBounds.memoryHigh),
            check("swap", swap, PolicyBounds.swap),
            check("cpu_percent", cpuPercent, PolicyBounds.cpuPercent),
            check("cpu_weight", cpuWeight, PolicyBounds.weight),
            check("processors", processors?.number, PolicyBounds.processors),
            check("pids", pids, PolicyBounds.pids),
            check("open_files", openFiles, PolicyBounds.openFiles),
            check("file_size", fileSize, PolicyBounds.fileSize),
            check("temporary", temporary, PolicyBounds.temporary),
            check("shared_memory", sharedMemory, PolicyBounds.sharedMemory),
            check("disk", disk, PolicyBounds.disk),
            check("inodes", inodes, PolicyBounds.inodes),
            check("unwritten", unwritten, PolicyBounds.unwritten),
            check("io_weight", ioWeight, PolicyBounds.weight),
        ]
        return faults.compactMap(\.self).first ?? contradictions.first.map { ($0.key, $0.value, $0.allowed) }
    }

    private func check<Value: Comparable & CustomStringConvertible>(
        _ key: String, _ value: Value?, _ range: ClosedRange<Value>
    ) -> Fault? {
        guard let value, !range.contains(value) else { return nil }
        return (key, "\(value)", "\(range.lowerBound) to \(range.upperBound)")
    }

    /// Limits that cannot hold beside another: the one, its value, the other, and what would go with it.
    var contradictions: [(key: String, value: String, other: String, allowed: String)] {
        var found: [(key: String, value: String, other: String, allowed: String)] = []
        func atMost(_ key: String, _ value: ByteSize?, _ other: String, _ most: ByteSize?, _ why: String) {
            guard let value, let most, value > most else { return }
            found.append((key, "\(value)", other, "at most \(other), \(most): \(why)"))
        }
        atMost("memory_high", memoryHigh, "memory", memory, "the kernel would kill before it warns")
        atMost("temporary", temporary, "memory", memory, "/tmp is a tmpfs that counts as memory")
        atMost("shared_memory", sharedMemory, "memory", memory, "/dev/shm is a tmpfs that counts as memory")
        atMost("file_size", fileSize, "disk", disk, "no file could become as large")
        if let inodes, disk == nil {
            found.append(("inodes", "\(inodes)", "disk", "'none', or with a disk limit: one quota counts both"))
        }
        if let unwritten, disk == nil {
            found.append(
                (
                    "unwritten", "\(unwritten)", "disk",
                    "'none', or with a disk limit: it is of a disk of the session's own"
                ))
        }
        return found
    }
}
