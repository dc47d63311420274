public import Foundation
public import SessionCore

/// A request of the supervisor on a worker's control socket: a 4-byte big-endian length, then this as JSON.
public struct ControlRequest: Codable, Sendable {
    /// The version both sides speak. It rises when a message changes its meaning; new commands and optional fields do not
    /// raise it, for both sides ignore what they do not know.
    public static let version = 1
    /// The oldest version of a worker that this supervisor can drive.
    public static let oldestVersion = 1
    /// A prompt's images are the largest that goes one way, an event with a tool's input and its rendering the other.
    public static let largestFrame = 8 << 20

    /// Chosen by the supervisor, repeated in the reply.
    public var id: UInt64
    public var command: ControlCommand

    public init(id: UInt64, command: ControlCommand) {
        self.id = id
        self.command = command
    }
}

/// What a supervisor can ask of a worker.
public enum ControlCommand: Codable, Sendable {
    /// Replay the events above `since` that the log still holds, a `gap` first if some are gone, then go on live.
    case subscribe(since: UInt64)
    /// Type text into the session. The same `clientID` twice is one input.
    case input(text: String, clientID: String?, submit: Bool)
    /// Cancel the running turn (Escape in a terminal session).
    case interrupt
    /// The screen now.
    case screen(ScreenFormat)
    /// Facts for the reaper and the API.
    case status
    /// Append an event of the supervisor's own to the session's log.
    case record(type: EventType, data: JSONValue)
    /// End the session's command: politely, then after `grace` seconds for good. With `returns`, the session is started
    /// again at once, and its clients are told to come back.
    case stop(grace: Double, returns: Bool? = nil)
    /// Stop everything in the sandbox until the next input. Refused (`not_idle`) while something happens.
    case freeze
    /// Stop everything in the sandbox, whatever it does, while its files are copied: until `release`, and at most so many
    /// seconds.
    case hold(seconds: Double)
    /// Let it go on after a `hold`.
    case release
    /// One message of a foreign protocol that arrived by REST; the dialect's answer comes back.
    case dialect(name: String, message: JSONValue)
    /// Clients with a credential of that name have other rights from now on, those that come later too.
    case credential(CredentialChange)
    /// One command for the session, from a client that is not connected itself. Answered by ``ControlReply/outcome(_:)``.
    case session(SessionCommand, CommandOrigin)
    /// A piece of a file for the session; pieces come in order. Answered by its `path` inside; by ``ControlReply/done``
    /// from a worker of an earlier version, which puts it into the home.
    case upload(UploadPart)
    /// Wait until the program of a spare is there. Answered by the program's `version`.
    case spareReady
    /// Make a spare its session's, once. From then on it is a worker as any other.
    case claim(permissionMode: String?)
}

/// Who gives a command.
public struct CommandOrigin: Codable, Sendable, Hashable {
    /// As the supervisor authenticated it.
    public var principal: String
    public var access: ClientAccess
    /// May decide for the whole tenant.
    public var isAdmin: Bool

    public init(principal: String, access: ClientAccess, isAdmin: Bool = false) {
        self.principal = principal
        self.access = access
        self.isAdmin = isAdmin
    }

    /// Whether the command may be given.
    public func mayGive(_ command: SessionCommand) -> Bool {
        switch command.needs {
        case .view: true
        case .approve: access != .view
        case .drive: access == .drive
        }
    }
}

public enum ScreenFormat: String, Codable, Sendable, CaseIterable {
    case text, ansi, json
}

/// What a worker sends on its control socket.
public enum ControlFrame: Codable, Sendable {
    /// The first frame on every connection.
    case hello(WorkerHello)
    case reply(id: UInt64, ControlReply)
    /// After `subscribe`.
    case event(SessionEvent)
    /// The session's command and its sandbox are gone; the last frame, after which the worker exits.
    case ended(WorkerEnd)
}

public enum ControlReply: Codable, Sendable {
    case done
    /// The input is in the log under this number.
    case accepted(seq: UInt64)
    case screen(ScreenContent)
    case status(WorkerStatus)
    case message(JSONValue)
    case outcome(CommandOutcome)
    case refused(code: String, detail: String)
}

/// Who a worker is.
public struct WorkerHello: Codable, Sendable {
    public var version: Int
    public var sessionID: SessionID
    public var incarnation: Int
    public var pid: Int32
    /// Clock ticks after boot when the worker started (`/proc/<pid>/stat` field 22): with the pid, an identity.
    public var startTime: UInt64
    public var status: WorkerStatus
    /// Which build it is; nil from workers that do not say.
    public var program: ProgramIdentity?

    public init(
        version: Int, sessionID: SessionID, incarnation: Int, pid: Int32, startTime: UInt64, status: WorkerStatus,
        program: ProgramIdentity? = nil
    ) {
        self.version = version
        self.sessionID = sessionID
        self.incarnation = incarnation
        self.pid = pid
        self.startTime = startTime
        self.status = status
        self.program = program
    }
}

/// What a worker knows of its session that is not an event.
public struct WorkerStatus: Codable, Sendable {
    public var activity: Activity
    /// When the activity last changed.
    public var activitySince: Date
    /// What the activity is concluded from: `status_file`, `hook`, `silence`.
    public var activitySource: String
    /// A background shell of the session is running.
    public var backgroundShell: Bool
    /// The last input of any client.
    public var lastInput: Date?
    /// The last byte of the terminal.
    public var lastOutput: Date?
    /// Attached clients, with what they may do.
    public var clients: [AttachedClient]
    public var lastSequence: UInt64
    public var size: TerminalSize
    public var transcriptPath: String?
    /// Since when everything in the sandbox is stopped; nil: it is not.
    public var frozenSince: Date?
    /// Why the session's journal takes nothing now; nil: it does.
    public var journal: JournalTrouble?
    /// The times above on a clock that nobody sets. nil from a worker of a version before.
    public var monotonic: WorkerTimes?
    /// It is a spare that no session has yet; nil: it is not.
    public var isSpare: Bool?

    public init(
        activity: Activity, activitySince: Date, activitySource: String, backgroundShell: Bool, lastInput: Date?,
        lastOutput: Date?, clients: [AttachedClient], lastSequence: UInt64, size: TerminalSize, transcriptPath: String?,
        frozenSince: Date? = nil, journal: JournalTrouble? = nil, monotonic: WorkerTimes? = nil
    ) {
        self.activity = activity
        self.activitySince = activitySince
        self.activitySource = activitySource
        self.backgroundShell = backgroundShell
        self.lastInput = lastInput
        self.lastOutput = lastOutput
        self.clients = clients
        self.lastSequence = lastSequence
        self.size = size
        self.transcriptPath = transcriptPath
        self.frozenSince = frozenSince
        self.journal = journal
        self.monotonic = monotonic
    }
}

/// Why a session stands still: nothing of it can be stored.
public struct JournalTrouble: Codable, Sendable, Hashable {
    /// `stalled`.
    public var state: String
    /// `disk_full`, `quota` or `io_error`.
    public var reason: String
    /// What an operator can do.
    public var detail: String

    public init(_ stall: LogStall) {
        state = "stalled"
        reason = stall.reason
        detail = stall.description
    }
}

/// When things happened in a session, by the clock that decides about it.
public struct WorkerTimes: Codable, Sendable, Hashable {
    /// When the incarnation started.
    public var started: MonotonicTime
    public var activitySince: MonotonicTime
    public var lastInput: MonotonicTime?
    public var lastOutput: MonotonicTime?

    public init(
        started: MonotonicTime, activitySince: MonotonicTime, lastInput: MonotonicTime? = nil,
        lastOutput: MonotonicTime? = nil
    ) {
        self.started = started
        self.activitySince = activitySince
        self.lastInput = lastInput
        self.lastOutput = lastOutput
    }
}

/// One client connection of a session.
public struct AttachedClient: Codable, Sendable, Hashable {
    public var id: Int
    /// `native` or `echokit`.
    public var dialect: String
    /// Who, as the supervisor authenticated it.
    public var principal: String
    /// It owns the terminal's size.
    public var driving: Bool
    public var since: Date
    /// What it may do; nil from workers that do not say.
    public var access: ClientAccess?
    /// What it was let in by.
    public var credential: ClientCredential?

    public init(
        id: Int, dialect: String, principal: String, driving: Bool, since: Date, access: ClientAccess? = nil,
        credential: ClientCredential? = nil
    ) {
        self.id = id
        self.dialect = dialect
        self.principal = principal
        self.driving = driving
        self.since = since
        self.access = access
        self.credential = credential
    }
}

/// The screen in one of its forms.
public struct ScreenContent: Codable, Sendable {
    public var size: TerminalSize
    public var cursor: TerminalPosition
    /// The sequence number up to which the screen is drawn.
    public var seq: UInt64
    public var title: String?
    public var format: ScreenFormat
    /// Lines joined by `\n` (`text`), or a repaint with escape sequences (`ansi`).
    public var content: String

    public init(
        size: TerminalSize, cursor: TerminalPosition, seq: UInt64, title: String?, format: ScreenFormat,
        content: String
    ) {
        self.size = size
        self.cursor = cursor
        self.seq = seq
        self.title = title
        self.format = format
        self.content = content
    }
}

public struct TerminalPosition: Codable, Sendable, Hashable {
    public var row: Int
    public var col: Int
    public init(row: Int, col: Int) {
        self.row = row
        self.col = col
    }
}

/// How a session's incarnation ended, as its worker saw it.
public struct WorkerEnd: Codable, Sendable {
    /// nil when the sandbox was killed before it could say.
    public var exit: ExitStatus?
    /// True when this worker was told to stop.
    public var requested: Bool
    public var lastSequence: UInt64
    /// The last lines on the screen, to explain a command that ended at once.
    public var lastLines: String

    public init(exit: ExitStatus?, requested: Bool, lastSequence: UInt64, lastLines: String) {
        self.exit = exit
        self.requested = requested
        self.lastSequence = lastSequence
        self.lastLines = lastLines
    }
}

/// Who a relayed client is: the value of the `x-rookery-client` header that the supervisor adds to an upgrade
/// request (JSON). The supervisor removes any such header that came from outside.
public struct RelayedClient: Codable, Sendable, Hashable {
    public static let header = "x-rookery-client"
    public var principal: String
    public var access: ClientAccess
    /// What it is let in by; nil where nothing can be taken back (`--auth none`), and from supervisors that say nothing.
    public var credential: ClientCredential?
    /// It may decide for its whole tenant; nil: it may not.
    public var isAdmin: Bool?

    public init(
        principal: String, access: ClientAccess, credential: ClientCredential? = nil, isAdmin: Bool? = nil
    ) {
        self.principal = principal
        self.access = access
        self.credential = credential
        self.isAdmin = isAdmin
    }
}

/// What a client may do with a session.
public enum ClientAccess: String, Codable, Sendable, Hashable {
    case view, approve, drive
}
