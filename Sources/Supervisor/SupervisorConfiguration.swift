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
    /// The user that workers run as.
    public var workerUID: UInt32

    public init(
        stateDirectory: String, runtimeDirectory: String, startCommand: String, claudeBinary: String?,
        policies: PolicyStore, images: ImageStore? = nil, idleTimeout: TimeSpan? = nil, maxSessions: Int = 64,
        maxMemory: ByteSize = .gibibytes(64), gatewaySocket: String, workerUID: UInt32? = nil
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
        self.workerUID = workerUID ?? geteuid()
    }
}

/// Time as the supervisor sees it; tests bring their own.
public struct SupervisorClock: Sendable {
    public var now: @Sendable () -> Date
    public var sleep: @Sendable (Duration) async throws -> Void

    public init(
        now: @escaping @Sendable () -> Date, sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.now = now
        self.sleep = sleep
    }

    public static let system = SupervisorClock(now: { Date() }, sleep: { try await Task.sleep(for: $0) })
}
