public import Policy
public import SessionCore

/// The launcher's answer to one ``LauncherRequest``.
public enum LauncherReply: Codable, Sendable {
    case launched(LaunchedSession)
    case done
    /// The sessions whose leftovers a sweep removed.
    case swept([SessionID])
    case capabilities(LauncherCapabilities)
    /// The oldest first. Fewer than were asked for where the kernel's log does not say, or may not be read.
    case memoryKills([MemoryKill])
    /// Empty after the last page.
    case inventory([SessionID])
    case failed(LaunchFailure)
}

/// A session that runs: its command was executed and its worker listens.
public struct LaunchedSession: Codable, Sendable {
    /// The worker's pid in the supervisor's pid namespace.
    public var workerPID: Int32
    /// The sandbox's rookery-init, in the supervisor's pid namespace.
    public var sandboxPID: Int32
    public var limits: [EnforcedLimit]
    /// Directories of the session's cgroup by controller (`memory`, `cpu`, `pids`; `unified` for v2).
    public var cgroups: [String: String]
    /// What this launch copied of another session's files; nil: nothing.
    public var copied: CopiedFiles?

    public init(workerPID: Int32, sandboxPID: Int32, limits: [EnforcedLimit], cgroups: [String: String]) {
        self.workerPID = workerPID
        self.sandboxPID = sandboxPID
        self.limits = limits
        self.cgroups = cgroups
    }
}

/// How much of one session's files was copied for another.
public struct CopiedFiles: Codable, Sendable, Hashable {
    /// Files, directories and links.
    public var files = 0
    public var bytes: UInt64 = 0
    /// Sockets, pipes and devices, which are not copied, and what was gone or closed to the copier.
    public var left = 0
    /// Nothing of the session ran while its files were read, so that they are all of one moment.
    public var atRest: Bool?

    public init() {}
}

/// Why a session did not start: which step, what the kernel said, and what to do about it. Nothing is left behind.
public struct LaunchFailure: Error, Codable, Sendable, Hashable {
    /// The step's stable name, such as `clone`, `id-map`, `mount workspace`, `cgroup memory`, `exec`, `worker`.
    public var step: String
    /// The errno, 0 when the failure was not a system call's.
    public var errno: Int32
    /// What happened, to what.
    public var message: String
    /// What an operator can do.
    public var remedy: String

    public init(step: String, errno: Int32, message: String, remedy: String) {
        self.step = step
        self.errno = errno
        self.message = message
        self.remedy = remedy
    }
}

/// What the launcher can do on this box.
public struct LauncherCapabilities: Codable, Sendable, Hashable {
    public var rootless: Bool
    /// `v2`, `v1` or `none`.
    public var cgroups: String
    /// Every limit with how it would be enforced here.
    public var limits: [EnforcedLimit]

    public init(rootless: Bool, cgroups: String, limits: [EnforcedLimit]) {
        self.rootless = rootless
        self.cgroups = cgroups
        self.limits = limits
    }
}

/// One process that the kernel killed because its session had no memory left.
public struct MemoryKill: Codable, Sendable, Hashable {
    /// What the process called itself: the tenant's own words, at most 15 bytes.
    public var name: String
    /// Bytes that were in memory when it was killed.
    public var residentBytes: UInt64

    public init(name: String, residentBytes: UInt64) {
        self.name = name
        self.residentBytes = residentBytes
    }
}

/// Bounds of the launcher's protocol.
public enum LauncherMessage {
    /// The largest request or reply, in bytes.
    public static let largest = 128 * 1024
    /// A reply to no request: the launcher was ended and is being started again. What it was asked is not answered; whether
    /// it was carried out is unknown. Requests' numbers begin at 1.
    public static let restart: UInt64 = 0
    /// The step of that reply's failure.
    public static let restartStep = "launcher restart"
}
