/// Where a session is in its life (API v1, "Sessions").
public enum Lifecycle: String, Codable, Sendable, Hashable, CaseIterable {
    case queued, starting, running, parking, parked, stopping, stopped, failed, deleted

    /// True while an incarnation may exist: a worker, a sandbox, a cgroup.
    public var hasIncarnation: Bool {
        switch self {
        case .starting, .running, .parking, .stopping: true
        case .queued, .parked, .stopped, .failed, .deleted: false
        }
    }
}

/// What a running session is doing. `pending` waits for a person's decision.
public enum Activity: String, Codable, Sendable, Hashable, CaseIterable {
    case idle, working, pending
}

/// Why a session is in its lifecycle state.
public enum Reason: String, Codable, Sendable, Hashable, CaseIterable {
    case requested, idle, budget, oom, crashed, exited
    case maxLifetime = "max_lifetime"
    case launchFailed = "launch_failed"
    case hostRestart = "host_restart"
}

/// How a session's own process ended.
public struct ExitStatus: Codable, Sendable, Hashable {
    /// The exit code, nil when a signal ended it.
    public var code: Int32?
    /// The signal's number, nil when it exited.
    public var signal: Int32?

    public init(code: Int32?, signal: Int32?) {
        self.code = code
        self.signal = signal
    }
}

/// A terminal's size in cells. Bounded so that a screen model of it always fits in memory.
public struct TerminalSize: Codable, Sendable, Hashable {
    public var cols: Int
    public var rows: Int

    public static let standard = TerminalSize(cols: 80, rows: 24)

    /// Clamps to 2…500 columns and 2…300 rows.
    public init(cols: Int, rows: Int) {
        self.cols = min(max(cols, 2), 500)
        self.rows = min(max(rows, 2), 300)
    }
}
