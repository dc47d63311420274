import ClaudeCode
public import Foundation
import Glibc
public import Images
public import Policy

/// What `rookery serve` tells the control plane.
public struct SupervisorConfiguration: Sendable {
    /// Registry, manifests; the launcher's session directories are in `sessions` below it.
    public var stateDirectory: String
    /// Workers' sockets are in `w/<session id>` below it.
    public var runtimeDirectory: String
    /// What every session runs (`run_cc.sh`).
    public var startCommand: String
    /// The Claude Code binary on the host; nil: none is bound into the sandboxes.
    public var claudeBinary: String?
    public var policies: PolicyStore
    /// Which built images there are; the launcher mounts them. nil: the host's alone.
    public var images: ImageStore?
    /// `--idle-sec`: in place of the policies' idle timeouts. A session's own still goes before it.
    public var idleTimeout: TimeSpan?
    public var maxSessions: Int
    public var maxMemory: ByteSize
    /// The gateway's Unix socket, which workers dial.
    public var gatewaySocket: String
    /// Where workers find the way to the world; nil: there is none.
    public var egressSocket: String?
    /// Values that are added to requests of tools; nil: there are none.
    public var secrets: SecretVault?

    // Bounds
    public var launchLimit: Duration = .seconds(60)
    public var cleanLimit: Duration = .seconds(30)
    public var replyLimit: Duration = .seconds(10)
    /// For a worker's status that a read shows.
    public var statusLimit: Duration = .seconds(1)
    /// How often idle times are looked at.
    public var tick: Duration = .seconds(1)
    /// How often a worker is asked for its status when nobody else asks.
    public var pollInterval: TimeInterval = 15
    /// A command that ends sooner than this after its start did not come up.
    public var quickEnd: TimeInterval = 3
    /// Added to the policy's grace before a session that does not end is ended by the launcher.
    public var stopSlack: Duration = .seconds(15)
    /// How long a worker may take to say who it is before it counts as one that does not answer.
    public var greetingLimit: Duration = .seconds(2)
    /// Sessions that the supervisor starts side by side of its own accord, after crashes and restarts: a box that was
    /// rebooted with fifty sessions must not start fifty at once.
    public var startsAtOnce = 2
    /// How often what is and what should be are compared when nothing happens.
    public var reconcileInterval: Duration = .seconds(10)
    /// How soon a session whose worker crashed is started again: the first time, the second, the third. As many times in
    /// a row as there are entries.
    public var restartDelays: [Duration] = [.zero, .seconds(2), .seconds(10)]
    /// A session that ran for so many seconds has not crashed in a row.
    public var steadyAfter: TimeInterval = 60
    /// How long a spare's Claude Code may take to start; its worker gives up before.
    public var spareLimit: Duration = .seconds(60)
    /// How long after a session began the next spare is made.
    public var spareDelay: Duration = .seconds(2)
    /// Claude Codes that may be a spare's.
    public var spareVersions = SpareCLI.versions
    /// Whether the host has memory for spares.
    var hostMemory: @Sendable () -> HostMemory.Standing = { HostMemory.standing }
    /// The user that workers run as.
    public var workerUID: UInt32

    public init(
        stateDirectory: String, runtimeDirectory: String, startCommand: String, claudeBinary: String?,
        policies: PolicyStore, images: ImageStore? = nil, idleTimeout: TimeSpan? = nil, maxSessions: Int = 64,
        maxMemory: ByteSize = .gibibytes(64), gatewaySocket: String, egressSocket: String? = nil,
        secrets: SecretVault? = nil,
        workerUID: UInt32? = nil
    ) {
        self.stateDirectory = stateDirectory
        self.runtimeDirectory = runtimeDirectory
        self.startCommand = startCommand
        self.claudeBinary = claudeBinary
        self.policies = policies
        self.images = images
        self.idleTimeout = idleTimeout
        self.maxSessions = maxSessions
        self.maxMemory = maxMemory
        self.gatewaySocket = gatewaySocket
        self.egressSocket = egressSocket
        self.secrets = secrets
        self.workerUID = workerUID ?? geteuid()
    }
}
