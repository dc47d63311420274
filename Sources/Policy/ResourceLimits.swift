/// What one session may use of the box. The launcher turns each into a cgroup value or an rlimit and reports
/// what really holds as ``EnforcedLimit``.
public struct ResourceLimits: Codable, Sendable, Hashable {
    /// Hard limit on the memory of all processes of the session together.
    public var memory: ByteSize
    /// CPU time per second of wall time, in percent of one core: 200 is two cores.
    public var cpuPercent: Int
    /// Processes and threads together.
    public var pids: Int
    /// Open files of one process (RLIMIT_NOFILE).
    public var openFiles: Int
    /// Size of the private /tmp, a tmpfs that counts as the session's memory.
    public var temporary: ByteSize

    public init(memory: ByteSize, cpuPercent: Int, pids: Int, openFiles: Int, temporary: ByteSize) {
        self.memory = memory
        self.cpuPercent = cpuPercent
        self.pids = pids
        self.openFiles = openFiles
        self.temporary = temporary
    }

    /// 2 GiB, two cores, 512 tasks: what the sandbox contract (3.5) measured as comfortable for Claude Code.
    public static let standard = ResourceLimits(
        memory: .gibibytes(2), cpuPercent: 200, pids: 512, openFiles: 4096, temporary: .mebibytes(512))

    enum CodingKeys: String, CodingKey {
        case memory
        case cpuPercent = "cpu_percent"
        case pids
        case openFiles = "open_files"
        case temporary
    }
}

/// One limit as asked for, as it really holds, and by what: the API never claims more than the kernel does.
public struct EnforcedLimit: Codable, Sendable, Hashable {
    /// The key of ``ResourceLimits``: `memory`, `cpu_percent`, `pids`, `open_files`, `temporary`.
    public var name: String
    public var asked: String
    /// nil when nothing enforces it here.
    public var enforced: String?
    /// `cgroup-v2`, `cgroup-v1`, `rlimit`, `tmpfs` or `none`.
    public var by: String
    /// Why it is not enforced as asked, for a person.
    public var note: String?

    public init(name: String, asked: String, enforced: String?, by: String, note: String? = nil) {
        self.name = name
        self.asked = asked
        self.enforced = enforced
        self.by = by
        self.note = note
    }
}
