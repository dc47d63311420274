public import Foundation
public import SessionCore

/// When workers of an older build make way for the installed one. Never in the middle of a turn, nor while somebody is
/// being asked for a permission.
public enum WorkerRenewal: String, Codable, Sendable, Hashable, CaseIterable {
    /// As soon as no turn is open.
    case now
    /// Once the session has also been quiet for a while, longer when somebody has typed and not sent.
    case idle
    /// They go on until their sessions end.
    case never
}

/// How the last attempt to replace this supervisor's process went.
public struct UpgradeOutcome: Codable, Sendable, Hashable {
    public enum Outcome: String, Codable, Sendable, Hashable {
        case upgraded
        /// The one that was to take over did not come up, and the one before was started again.
        case failed
    }

    public var outcome: Outcome
    /// Why it failed.
    public var reason: String?

    public init(outcome: Outcome, reason: String? = nil) {
        self.outcome = outcome
        self.reason = reason
    }
}

/// What `GET /v1/upgrade` says.
public struct UpgradeReport: Codable, Sendable {
    public struct Session: Codable, Sendable {
        public enum State: String, Codable, Sendable, Hashable {
            /// Its worker is of the installed build.
            case current
            /// Its worker is older, and makes way when it may.
            case waiting
            /// It is being started again.
            case renewing
            /// Its worker is older, and goes on.
            case older
        }

        public var id: SessionID
        public var name: String?
        public var state: State
        /// What it waits for, or what went wrong; in words.
        public var detail: String?
    }

    /// Of this process of the supervisor: another after an upgrade.
    public var instance: UUID
    public var version: String
    public var pid: Int32
    public var startedAt: Date
    /// Whether this supervisor can be replaced in place.
    public var replaceable: Bool
    public var last: UpgradeOutcome?
    public var workers: WorkerRenewal
    /// Sessions that run.
    public var sessions: [Session]

    public init(
        instance: UUID, version: String, pid: Int32, startedAt: Date, replaceable: Bool, last: UpgradeOutcome?,
        workers: WorkerRenewal, sessions: [Session]
    ) {
        self.instance = instance
        self.version = version
        self.pid = pid
        self.startedAt = startedAt
        self.replaceable = replaceable
        self.last = last
        self.workers = workers
        self.sessions = sessions
    }

    enum CodingKeys: String, CodingKey {
        case instance, version, pid
        case startedAt = "started_at"
        case replaceable, last, workers, sessions
    }
}

/// What stands behind a supervisor and can put another process in its place.
public struct Successor: Sendable {
    /// Has the installed program checked and made ready. Returns when this process is to leave, which it then does by
    /// itself.
    /// - Throws: ``SupervisorError`` with the reason; this process then goes on as if nothing had been asked.
    public var take: @Sendable () async throws(SupervisorError) -> Void

    public init(take: @escaping @Sendable () async throws(SupervisorError) -> Void) { self.take = take }
}

/// What a supervisor knows of its own process.
public struct SupervisorProcess: Sendable {
    public var version: String
    /// The installed worker program; nil: no worker is ever older than it.
    public var workerProgram: String?
    public var last: UpgradeOutcome?
    /// nil: nobody can put another process in its place.
    public var successor: Successor?

    public init(
        version: String = "", workerProgram: String? = nil, last: UpgradeOutcome? = nil, successor: Successor? = nil
    ) {
        self.version = version
        self.workerProgram = workerProgram
        self.last = last
        self.successor = successor
    }
}
