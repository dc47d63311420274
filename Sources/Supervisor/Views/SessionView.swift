public import Foundation
public import Policy
public import Registry
public import SessionCore
public import WorkerControl

/// What a caller asks for when it creates a session.
public struct SessionCreation: Codable, Sendable, Hashable {
    public var id: SessionID?
    public var name: String?
    public var kind: SessionKind?
    public var policy: String?
    public var image: String?
    public var size: TerminalSize?
    public var env: [String: String]?
    public var labels: [String: String]?
    public var model: String?
    public var permissionMode: String?
    public var idleTimeout: TimeSpan?
    public var maxLifetime: TimeSpan?
    /// Hosts as policies write them: the session reaches at most these of what its policy lets out; empty: none.
    public var egress: [String]?
    /// Typed into the session once it is ready.
    public var prompt: String?

    public init(
        id: SessionID? = nil, name: String? = nil, kind: SessionKind? = nil, policy: String? = nil,
        image: String? = nil, size: TerminalSize? = nil, env: [String: String]? = nil,
        labels: [String: String]? = nil, model: String? = nil, permissionMode: String? = nil,
        idleTimeout: TimeSpan? = nil, maxLifetime: TimeSpan? = nil, prompt: String? = nil
    ) {
        self.id = id
        self.name = name
        self.kind = kind
        self.policy = policy
        self.image = image
        self.size = size
        self.env = env
        self.labels = labels
        self.model = model
        self.permissionMode = permissionMode
        self.idleTimeout = idleTimeout
        self.maxLifetime = maxLifetime
        self.prompt = prompt
    }
}

/// What a caller may change of a session. nil leaves a value as it is.
public struct SessionPatch: Codable, Sendable, Hashable {
    public var name: String?
    public var labels: [String: String]?
    public var pinned: Bool?
    public var idleTimeout: TimeSpan?
    public var maxLifetime: TimeSpan?

    public init(
        name: String? = nil, labels: [String: String]? = nil, pinned: Bool? = nil, idleTimeout: TimeSpan? = nil,
        maxLifetime: TimeSpan? = nil
    ) {
        self.name = name
        self.labels = labels
        self.pinned = pinned
        self.idleTimeout = idleTimeout
        self.maxLifetime = maxLifetime
    }
}

/// Which sessions a list shows.
public struct SessionFilter: Sendable, Hashable {
    public var lifecycle: Lifecycle?
    public var activity: Activity?
    public var label: SessionLabel?
    /// 1…200.
    public var limit: Int
    /// `next_cursor` of the page before.
    public var cursor: String?

    public init(
        lifecycle: Lifecycle? = nil, activity: Activity? = nil, label: SessionLabel? = nil, limit: Int = 50,
        cursor: String? = nil
    ) {
        self.lifecycle = lifecycle
        self.activity = activity
        self.label = label
        self.limit = limit
        self.cursor = cursor
    }
}

/// One `key:value` that a session carries.
public struct SessionLabel: Sendable, Hashable {
    public var key: String
    public var value: String

    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

public struct SessionPage: Sendable {
    public var items: [SessionView]
    public var nextCursor: String?

    public init(items: [SessionView], nextCursor: String?) {
        self.items = items
        self.nextCursor = nextCursor
    }
}

/// A session as the API shows it: the registry's record and what its worker says now.
public struct SessionView: Sendable {
    public var record: SessionRecord
    /// Only while running and answering.
    public var worker: WorkerStatus?
    /// Running, but its worker does not answer.
    public var unresponsive: Bool
    /// When the reaper will park it if nothing happens; nil while it works, when pinned, or not running.
    public var parksAt: Date?
    /// Its worker is of an older build, and makes way when nothing of the session is under way.
    public var draining = false

    public init(record: SessionRecord, worker: WorkerStatus?, unresponsive: Bool, parksAt: Date?) {
        self.record = record
        self.worker = worker
        self.unresponsive = unresponsive
        self.parksAt = parksAt
    }
}

/// Why a session is or is not about to be parked (`GET …/idle`).
public struct IdleReport: Codable, Sendable {
    public struct Signal: Codable, Sendable {
        public var name: String
        public var value: String
        public var ageSeconds: Double?
        public var source: String
        /// Whether this signal holds the session up.
        public var keepsAwake: Bool

        public init(name: String, value: String, ageSeconds: Double?, source: String, keepsAwake: Bool) {
            self.name = name
            self.value = value
            self.ageSeconds = ageSeconds
            self.source = source
            self.keepsAwake = keepsAwake
        }
    }

    public var idleTimeout: TimeSpan
    public var signals: [Signal]
    /// The rule in words.
    public var rule: String
    public var warnsAt: Date?
    public var parksAt: Date?

    public init(idleTimeout: TimeSpan, signals: [Signal], rule: String, warnsAt: Date?, parksAt: Date?) {
        self.idleTimeout = idleTimeout
        self.signals = signals
        self.rule = rule
        self.warnsAt = warnsAt
        self.parksAt = parksAt
    }
}

/// What a session uses now (`GET …/stats`). nil where this box cannot tell.
public struct SessionStats: Codable, Sendable {
    public var memoryBytes: UInt64?
    public var memoryPeakBytes: UInt64?
    public var memoryLimitBytes: UInt64?
    public var cpuSeconds: Double?
    public var pids: Int?
    public var pidsLimit: Int?
    public var oomKills: Int?

    public init(
        memoryBytes: UInt64? = nil, memoryPeakBytes: UInt64? = nil, memoryLimitBytes: UInt64? = nil,
        cpuSeconds: Double? = nil, pids: Int? = nil, pidsLimit: Int? = nil, oomKills: Int? = nil
    ) {
        self.memoryBytes = memoryBytes
        self.memoryPeakBytes = memoryPeakBytes
        self.memoryLimitBytes = memoryLimitBytes
        self.cpuSeconds = cpuSeconds
        self.pids = pids
        self.pidsLimit = pidsLimit
        self.oomKills = oomKills
    }
}

/// Whether the service can take work (`GET /readyz`).
public struct Readiness: Codable, Sendable {
    public var ready: Bool
    /// One entry a part: `registry`, `launcher`, `gateway`, `model`, `capacity`; `ok` or what is wrong.
    public var checks: [String: String]

    public init(ready: Bool, checks: [String: String]) {
        self.ready = ready
        self.checks = checks
    }
}
