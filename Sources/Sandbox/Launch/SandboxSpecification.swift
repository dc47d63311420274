public import Policy

/// Which host ids a sandbox's processes have.
public enum SandboxIdentity: Sendable, Hashable {
    /// Root mode: ids 0…65535 inside are `base`…`base + 65535` outside. The session's command is 1000 inside.
    case range(base: UInt32)
    /// Rootless: 1000 inside is the caller outside. Other ids are there where the caller has ``SubordinateIDs``.
    case caller
}

/// Ids on the host.
public struct HostOwner: Sendable, Hashable {
    public var uid: UInt32
    public var gid: UInt32

    public init(uid: UInt32, gid: UInt32) {
        self.uid = uid
        self.gid = gid
    }
}

/// What the command has as descriptors 0, 1 and 2 in place of its terminal. Pipes: whatever is given here is inside.
public struct StandardStreams: Sendable {
    public var input: OwnedDescriptor
    public var output: OwnedDescriptor
    public var error: OwnedDescriptor

    public init(input: OwnedDescriptor, output: OwnedDescriptor, error: OwnedDescriptor) {
        self.input = input
        self.output = output
        self.error = error
    }
}

/// Everything a sandbox is made of. Paths are the host's and absolute.
public struct SandboxSpecification: Sendable {
    public var identity: SandboxIdentity
    /// The rookery-init executable.
    public var initProgram: String
    /// Becomes ``SandboxLayout/workspace``, writable. No component may be a symbolic link. In root mode it belongs to
    /// `base + 1000`.
    public var workspace: String
    /// Root mode: whose the workspace is on the host, when that is not `base + 1000`. Its files are shown as the command's
    /// own, and what the command makes belongs to this owner.
    public var workspaceOwner: HostOwner?
    /// Becomes ``SandboxLayout/home``, likewise.
    public var home: String
    /// Becomes ``SandboxLayout/startCommand``, read-only.
    public var startCommand: String
    /// Becomes ``SandboxLayout/claude``, read-only; nil: nothing is there.
    public var claudeBinary: String?
    /// What is executed inside, as the inside sees it: ``SandboxLayout/startCommand`` alone unless set otherwise.
    public var arguments: [String] = [SandboxLayout.startCommand]
    /// The command's whole environment.
    public var environment: [String: String] = [:]
    /// nil: the terminal is all three.
    public var streams: StandardStreams?
    public var hostname = "rookery"
    /// The terminal's size at the start.
    public var columns: UInt16 = 80
    public var rows: UInt16 = 24
    /// What of the policy is carried out here. Limits: those of open files, processes (as RLIMIT_NPROC), file sizes and
    /// tmpfs; the rest is the cgroup's and the disk's.
    public var rules: SandboxRules
    public var limits: ResourceLimits { rules.limits }
    /// The image that the rules name, mounted for this sandbox; nil when that is the host's.
    public var image: BuiltImage?
    /// Takes what the session changes of its system directories, when the rules allow that: a directory of the session's
    /// own like the home. Root mode only.
    public var overlay: String?
    /// Text of /etc/claude-code/managed-settings.json inside; nil: there is none.
    public var managedSettings: String?
    /// The cgroup in which the sandbox is born.
    public var cgroup: CgroupEntrance?
    /// Called with the pid of rookery-init before anything of the sandbox is set up: the moment to set oom_score_adj.
    public var whenBorn: @Sendable (_ pid: Int32) throws(SandboxError) -> Void = { _ throws(SandboxError) in }
    /// How long rookery-init may take for the set-up, and again for the exec, in milliseconds. Then it is killed.
    public var patience: Int32 = 10_000

    public init(
        identity: SandboxIdentity, initProgram: String, workspace: String, home: String, startCommand: String,
        claudeBinary: String?, rules: SandboxRules
    ) {
        self.identity = identity
        self.initProgram = initProgram
        self.workspace = workspace
        self.home = home
        self.startCommand = startCommand
        self.claudeBinary = claudeBinary
        self.rules = rules
    }
}
