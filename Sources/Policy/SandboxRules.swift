/// The part of a policy that the launcher carries out: what the inside of a sandbox is made of and what holds there.
/// Crosses the launcher's socket; every field is checked again there.
public struct SandboxRules: Codable, Sendable, Hashable {
    /// The root filesystem: ``SessionPolicy/hostImage``, or the name of a built image.
    public var image: String
    /// Whether the session may change its system directories, for itself alone.
    public var system: SystemAccess
    /// Directories of the host that the operator shows to the session, beside workspace and home.
    public var mounts: [PolicyMount]
    public var limits: ResourceLimits
    /// Limits (keys of ``ResourceLimits``) and parts (`landlock`) that must really hold: without one of them the session
    /// does not start.
    public var required: Set<String>
    public var seccomp: SeccompRules
    /// Capabilities that the command keeps in its own user namespace, such as `net_bind_service`. None by default.
    public var capabilities: Set<String>
    /// Character devices of the host beyond the minimal ones: paths below /dev.
    public var devices: [String]
    public var network: NetworkAccess

    public init(
        image: String = SessionPolicy.hostImage, system: SystemAccess = .readOnly, mounts: [PolicyMount] = [],
        limits: ResourceLimits = .standard, required: Set<String> = [], seccomp: SeccompRules = SeccompRules(),
        capabilities: Set<String> = [], devices: [String] = [], network: NetworkAccess = .proxy
    ) {
        self.image = image
        self.system = system
        self.mounts = mounts
        self.limits = limits
        self.required = required
        self.seccomp = seccomp
        self.capabilities = capabilities
        self.devices = devices
        self.network = network
    }

    public static let standard = SandboxRules()
}

/// Whether /usr, /etc and the like can be written.
public enum SystemAccess: String, Codable, Sendable, Hashable, CaseIterable {
    case readOnly = "read-only"
    /// Changes go to an overlay of the session's own, which counts against its disk limit and is kept with it.
    case overlay
}

/// One directory of the host inside a sandbox.
public struct PolicyMount: Codable, Sendable, Hashable {
    /// On the host: absolute, without symbolic links.
    public var source: String
    /// Inside: absolute.
    public var target: String
    public var writable: Bool

    public init(source: String, target: String, writable: Bool = false) {
        self.source = source
        self.target = target
        self.writable = writable
    }
}

/// Which system calls a session may make.
public struct SeccompRules: Codable, Sendable, Hashable {
    public enum Profile: String, Codable, Sendable, Hashable, CaseIterable {
        /// The allow-list of the sandbox contract, section 4.
        case standard
        /// The same without what Claude Code and its usual tools can do without.
        case strict
    }

    public var profile: Profile
    /// Names added to the profile's list. Never one that leads out of the sandbox.
    public var allow: Set<String>
    /// Names taken out of it: refused with EPERM.
    public var refuse: Set<String>

    public init(profile: Profile = .standard, allow: Set<String> = [], refuse: Set<String> = []) {
        self.profile = profile
        self.allow = allow
        self.refuse = refuse
    }
}

/// What a session reaches of the network.
public enum NetworkAccess: String, Codable, Sendable, Hashable, CaseIterable {
    /// Nothing but the loopback inside: not even the model API.
    case none
    /// The loopback listener: model API, hooks, and what the gateway lets out.
    case proxy
    /// The host's own network. For one person's own box only.
    case host
}
