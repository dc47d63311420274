public import Foundation

/// What the activity is concluded from, best first.
public enum StateSource: String, Sendable, Hashable, Codable, CaseIterable {
    /// What the program itself says, on its standard output.
    case stream
    case statusFile = "status_file"
    case hook
    case transcript
    case silence
}

/// What a session is doing, as far as is known.
public struct StateView: Sendable, Hashable {
    public var activity: Activity
    public var since: Date
    public var source: StateSource
    /// A background shell runs.
    public var backgroundShell: Bool
    /// What a pending session waits for, in the CLI's words.
    public var waitingFor: String?
    /// The turn that runs.
    public var turn: OpenTurn?
    /// Tools that were started and did not end, in order.
    public var tools: [OpenTool]
    /// Permissions asked for and not resolved, in order.
    public var permissions: [OpenPermission]

    public init(activity: Activity, since: Date, source: StateSource) {
        self.activity = activity
        self.since = since
        self.source = source
        self.backgroundShell = false
        self.tools = []
        self.permissions = []
    }
}

public struct OpenTurn: Sendable, Hashable {
    public var prompt: String?
    public var promptID: String?
    public var since: Date
}

public struct OpenTool: Sendable, Hashable {
    /// The model's own id of the call.
    public var id: String
    public var name: String
    public var input: JSONValue
    public var since: Date
}

public struct OpenPermission: Sendable, Hashable {
    /// The call's tool use id if that is known, else a number of this engine's: unique in its incarnation.
    public var id: String
    public var tool: String?
    public var input: JSONValue?
    public var toolUseID: String?
    public var since: Date
}

/// An event the engine concluded; the caller appends it to the log, which numbers it.
public struct DerivedEvent: Sendable, Hashable {
    public var type: EventType
    public var data: JSONValue

    public init(_ type: EventType, _ data: JSONValue) {
        self.type = type
        self.data = data
    }
}
