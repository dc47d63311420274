public import Foundation

/// The CLI's own registry file `<config dir>/sessions/<pid>.json`, which says what the process is doing
/// 10-35 ms behind its screen. Undocumented by its makers and written in place: a torn read parses as nil,
/// and after a kill -9 the file is stale.
public struct StatusFile: Sendable, Hashable {
    public enum Status: Sendable, Hashable {
        case idle
        case busy
        /// Waits for the user: `permission prompt`, `input needed`, `dialog open`, `sandbox request`, …
        case waiting(String?)
        /// Idle, with a background shell running.
        case shell
        /// A word this version does not know.
        case unknown(String)
    }

    public var status: Status
    /// The CLI's pid in the sandbox's pid namespace.
    public var pid: Int?
    public var sessionID: String?
    public var version: String?
    /// `interactive` for the TUI.
    public var kind: String?
    public var workingDirectory: String?
    /// Start time of the process in clock ticks, as `/proc/<pid>/stat` field 22 has it.
    public var processStart: String?
    public var updatedAt: Date?

    public init(
        status: Status, pid: Int? = nil, sessionID: String? = nil, version: String? = nil, kind: String? = nil,
        workingDirectory: String? = nil, processStart: String? = nil, updatedAt: Date? = nil
    ) {
        self.status = status
        self.pid = pid
        self.sessionID = sessionID
        self.version = version
        self.kind = kind
        self.workingDirectory = workingDirectory
        self.processStart = processStart
        self.updatedAt = updatedAt
    }

    /// The largest file that is read.
    public static let largest = 64 * 1024

    /// nil for a torn, foreign or oversized file, and for one without a status yet.
    public init?(parsing bytes: Data) {
        guard let object = JSONObject(bytes, limit: Self.largest), let word = object.string("status") else {
            return nil
        }
        switch word {
        case "idle": status = .idle
        case "busy": status = .busy
        case "waiting": status = .waiting(object.string("waitingFor").map { String($0.prefix(200)) })
        case "shell": status = .shell
        default: status = .unknown(String(word.prefix(64)))
        }
        pid = object.integer("pid")
        sessionID = object.string("sessionId")
        version = object.string("version")
        kind = object.string("kind")
        workingDirectory = object.string("cwd")
        processStart = object.string("procStart")
        updatedAt = object.integer("statusUpdatedAt").map { Date(timeIntervalSince1970: Double($0) / 1000) }
    }
}
