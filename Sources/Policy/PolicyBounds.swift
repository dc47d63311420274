/// What a limit may be, wherever it comes from: the policy's file, the API, the launcher's protocol.
public enum PolicyBounds {
    /// Claude Code dies below 160 MiB and needs 256 MiB for its TUI to live (sandbox contract, 3.5 and 3.9).
    public static let memory = ByteSize.mebibytes(256)...ByteSize.gibibytes(1024)
    public static let cpuPercent = 5...100_000
    public static let pids = 16...65_536
    public static let openFiles = 64...1_048_576
    public static let temporary = ByteSize.mebibytes(1)...ByteSize.gibibytes(1024)
    public static let logBytes = ByteSize(bytes: 64 << 10)...ByteSize.mebibytes(256)
    public static let idleTimeout = TimeSpan.seconds(1)...TimeSpan.longest
    public static let reapWarning = TimeSpan.seconds(0)...TimeSpan.hours(24)
    public static let grace = TimeSpan.seconds(0)...TimeSpan.minutes(10)
    public static let maxLifetime = TimeSpan.seconds(1)...TimeSpan.longest
    public static let cols = 2...500
    public static let rows = 2...300
}

extension ResourceLimits {
    /// The first value outside ``PolicyBounds``, as `key` and the range it must be in; nil when all are fine.
    public var outOfBounds: (key: String, value: String, allowed: String)? {
        func check<Value: Comparable & CustomStringConvertible>(
            _ key: String, _ value: Value, _ range: ClosedRange<Value>
        ) -> (key: String, value: String, allowed: String)? {
            range.contains(value) ? nil : (key, "\(value)", "\(range.lowerBound) to \(range.upperBound)")
        }
        return check("memory", memory, PolicyBounds.memory)
            ?? check("cpu_percent", cpuPercent, PolicyBounds.cpuPercent)
            ?? check("pids", pids, PolicyBounds.pids)
            ?? check("open_files", openFiles, PolicyBounds.openFiles)
            ?? check("temporary", temporary, PolicyBounds.temporary)
            ?? (temporary > memory
                ? ("temporary", "\(temporary)", "at most memory, \(memory): /tmp is a tmpfs that counts as memory")
                : nil)
    }
}
