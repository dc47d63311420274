/// What one session may use of the box. The launcher turns each into a cgroup value, an rlimit, a quota or the size of a
/// tmpfs, and reports what really holds as ``EnforcedLimit``.
public struct ResourceLimits: Codable, Sendable, Hashable {
    /// Hard limit on the memory of all processes of the session together.
    public var memory: ByteSize
    /// The high-water mark: above it the session is slowed, warned, and recycled at the end of a turn. nil: 95 percent
    /// of ``memory``.
    public var memoryHigh: ByteSize?
    /// Swap beyond ``memory``.
    public var swap: ByteSize
    /// CPU time per second of wall time, in percent of one core: 200 is two cores.
    public var cpuPercent: Int
    /// Share of the CPU when there is not enough for all, 1…10000 (cgroup v2's cpu.weight).
    public var cpuWeight: Int
    /// On how many of the machine's processors its processes may run; nil: on all.
    public var processors: ProcessorCount?
    /// Processes and threads together.
    public var pids: Int
    /// Open files of one process (RLIMIT_NOFILE).
    public var openFiles: Int
    /// Size of one file (RLIMIT_FSIZE); nil: as large as the disk limit.
    public var fileSize: ByteSize?
    /// Size of the private /tmp, a tmpfs that counts as the session's memory.
    public var temporary: ByteSize
    /// Size of /dev/shm, likewise; nil: a quarter of ``temporary``.
    public var sharedMemory: ByteSize?
    /// Bytes of workspace, home and overlay together on disk; nil: no limit.
    public var disk: ByteSize?
    /// Files and directories there; nil: one for each 16 KiB of ``disk``.
    public var inodes: Int?
    /// How much of what was written to ``disk`` may wait in memory to get there; nil: as much as the machine allows.
    public var unwritten: ByteSize?
    /// Share of the disk's bandwidth, 1…10000 (cgroup v2's io.weight).
    public var ioWeight: Int

    public init(
        memory: ByteSize, memoryHigh: ByteSize? = nil, swap: ByteSize = ByteSize(bytes: 0), cpuPercent: Int,
        cpuWeight: Int = 100, processors: ProcessorCount? = nil, pids: Int, openFiles: Int, fileSize: ByteSize? = nil,
        temporary: ByteSize, sharedMemory: ByteSize? = nil, disk: ByteSize? = nil, inodes: Int? = nil,
        unwritten: ByteSize? = nil, ioWeight: Int = 100
    ) {
        self.memory = memory
        self.memoryHigh = memoryHigh
        self.swap = swap
        self.cpuPercent = cpuPercent
        self.cpuWeight = cpuWeight
        self.processors = processors
        self.pids = pids
        self.openFiles = openFiles
        self.fileSize = fileSize
        self.temporary = temporary
        self.sharedMemory = sharedMemory
        self.disk = disk
        self.inodes = inodes
        self.unwritten = unwritten
        self.ioWeight = ioWeight
    }

    /// 2 GiB, two cores, 512 tasks, 5 GiB of disk: what the sandbox contract (3.5) measured as comfortable for Claude
    /// Code.
    public static let standard = ResourceLimits(
        memory: .gibibytes(2), cpuPercent: 200, pids: 512, openFiles: 4096, temporary: .mebibytes(512),
        disk: .gibibytes(5))

    /// ``memoryHigh``, or what stands for it.
    public var effectiveMemoryHigh: ByteSize { memoryHigh ?? ByteSize(bytes: memory.bytes / 100 * 95) }
    /// ``sharedMemory``, or what stands for it.
    public var effectiveSharedMemory: ByteSize { sharedMemory ?? ByteSize(bytes: temporary.bytes / 4) }
    /// ``fileSize``, or what stands for it; nil without a disk limit.
    public var effectiveFileSize: ByteSize? { fileSize ?? disk }
    /// ``inodes``, or what stands for it; nil without a disk limit.
    public var effectiveInodes: Int? { inodes ?? disk.map { Int(clamping: max($0.bytes / 16_384, 1024)) } }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case memory
        case memoryHigh = "memory_high"
        case swap
        case cpuPercent = "cpu_percent"
        case cpuWeight = "cpu_weight"
        case processors, pids
        case openFiles = "open_files"
        case fileSize = "file_size"
        case temporary
        case sharedMemory = "shared_memory"
        case disk, inodes, unwritten
        case ioWeight = "io_weight"
    }

    /// The names of all limits, as policies, requests and reports write them.
    public static let names = CodingKeys.allCases.map(\.rawValue)
}

/// One limit as asked for, as it really holds, and by what: the API never claims more than the kernel does.
public struct EnforcedLimit: Codable, Sendable, Hashable {
    /// The key of ``ResourceLimits``, or the name of another part that a policy can require, such as `landlock`.
    public var name: String
    public var asked: String
    /// nil when nothing enforces it here.
    public var enforced: String?
    /// `cgroup-v2`, `cgroup-v1`, `rlimit`, `tmpfs`, `project-quota`, `loop-image`, `kernel` or `none`.
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
