public import Policy
public import SessionCore

/// What the supervisor asks of the launcher: one JSON object per SOCK_SEQPACKET message, at most
/// ``LauncherMessage/largest`` bytes. The launcher checks every field again.
public enum LauncherRequest: Codable, Sendable {
    /// Makes what the session needs, starts its sandbox and its worker, and answers when the session's command runs.
    case launch(LaunchRequest)
    /// Ends whatever an incarnation left behind: processes, cgroup, runtime directory.
    case clean(CleanRequest)
    /// Removes a session's directories for good. Refused while anything of it runs.
    case remove(RemoveRequest)
    /// Cleans every incarnation that is not listed: what a supervisor says once when it starts.
    case sweep(SweepRequest)
    /// Asks what this box can enforce.
    case capabilities
    /// Asks which processes of a session the kernel killed for want of memory.
    case memoryKills(MemoryKillsRequest)
    /// Asks of which sessions there is data on disk: files of theirs, or what was said in them.
    case inventory(InventoryRequest)
}

/// One page of the sessions with data, in the order of their ids.
public struct InventoryRequest: Codable, Sendable {
    /// The last one of the page before; nil for the first page.
    public var after: SessionID?

    public init(after: SessionID? = nil) { self.after = after }
}

/// One session to start.
public struct LaunchRequest: Codable, Sendable, Hashable {
    public var sessionID: SessionID
    public var incarnation: Int
    /// Index of the session's host uid range; see `UIDRange` in Sandbox. Ignored when rootless.
    public var uidSlot: Int
    /// What the sandbox is made of and what holds there.
    public var rules: SandboxRules
    /// The program started in the sandbox, a path on the host that is bound read-only to `/run/rookery/start`.
    public var startCommand: String
    /// The Claude Code binary on the host, bound read-only to `/usr/local/bin/claude` inside. nil: none is bound.
    public var claudeBinary: String?
    /// How the session's program speaks; nil, as from a supervisor of an earlier version, is a terminal.
    public var kind: SessionKind?
    /// What the start command is given; nil is nothing.
    public var arguments: [String]?
    /// What the worker lets clients do; nil from a supervisor of an earlier version.
    public var commands: CommandRules?
    /// The session's MCP server is a channel too; nil: it is none.
    public var offersChannel: Bool?
    /// The complete environment of the session's command; nothing is inherited.
    public var environment: [String: String]
    /// Text of the settings that the session cannot change, read-only at `/etc/claude-code/managed-settings.json` inside;
    /// nil: none.
    public var managedSettings: String?
    public var size: TerminalSize
    /// The first sequence number the worker may use, above every number the session ever had.
    public var firstSequence: UInt64
    /// The supervisor's Unix socket that takes model API requests.
    public var gatewaySocket: String
    /// Its Unix socket for everything else that is let out; nil, as from an earlier version: nothing is.
    public var egressSocket: String?
    /// How many bytes of terminal output the worker keeps for replay.
    public var logBytes: Int
    /// How much of the session's past stays on disk; nil from a supervisor of an earlier version.
    public var journal: JournalRules?
    /// The session begins with a copy of that one's workspace and home, made once; nil: with none.
    public var filesOf: SessionID?
    /// The session is not known yet: worker and command wait until it is. nil: it is.
    public var isSpare: Bool?

    public init(
        sessionID: SessionID, incarnation: Int, uidSlot: Int, rules: SandboxRules, startCommand: String,
        claudeBinary: String?, environment: [String: String], managedSettings: String?, size: TerminalSize,
        firstSequence: UInt64,
        gatewaySocket: String, logBytes: Int, journal: JournalRules? = nil
    ) {
        self.sessionID = sessionID
        self.incarnation = incarnation
        self.uidSlot = uidSlot
        self.rules = rules
        self.startCommand = startCommand
        self.claudeBinary = claudeBinary
        self.environment = environment
        self.managedSettings = managedSettings
        self.size = size
        self.firstSequence = firstSequence
        self.gatewaySocket = gatewaySocket
        self.logBytes = logBytes
        self.journal = journal
    }
}

/// What the policy says of the commands that a worker takes.
public struct CommandRules: Codable, Sendable, Hashable {
    /// Permission modes that the session may be switched to; nil: any.
    public var permissionModes: [String]?
    /// Models, likewise.
    public var models: [String]?
    /// Seconds until a permission that nobody answers is denied; nil: it waits for ever.
    public var permissionTimeout: Double?
    /// What is allowed in the policy's name when it is asked for (``ToolRule``).
    public var permissionAllow: [String]?

    public init(
        permissionModes: [String]? = nil, models: [String]? = nil, permissionTimeout: Double? = nil,
        permissionAllow: [String]? = nil
    ) {
        self.permissionModes = permissionModes
        self.models = models
        self.permissionTimeout = permissionTimeout
        self.permissionAllow = permissionAllow
    }

    /// Whether nobody needs to be waited for.
    public func allows(_ question: PermissionLedger.Question) -> Bool {
        (permissionAllow ?? []).contains { ToolRule($0)?.allows(question) ?? false }
    }
}

public struct CleanRequest: Codable, Sendable {
    public var sessionID: SessionID
    public init(sessionID: SessionID) { self.sessionID = sessionID }
}

public struct RemoveRequest: Codable, Sendable {
    public var sessionID: SessionID
    /// Keep `workspace`, remove everything else.
    public var keepWorkspace: Bool
    public init(sessionID: SessionID, keepWorkspace: Bool) {
        self.sessionID = sessionID
        self.keepWorkspace = keepWorkspace
    }
}

public struct SweepRequest: Codable, Sendable {
    /// The sessions whose workers are alive and adopted.
    public var live: [SessionID]
    public init(live: [SessionID]) { self.live = live }
}

public struct MemoryKillsRequest: Codable, Sendable {
    public var sessionID: SessionID
    /// The latest so many, at most 32.
    public var latest: Int
    public init(sessionID: SessionID, latest: Int) {
        self.sessionID = sessionID
        self.latest = latest
    }
}
