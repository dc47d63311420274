public import Foundation
public import SessionCore

/// A session that runs elsewhere: claude-remote's row.
public struct ClaudeRemoteSession: Sendable, Equatable {
    public var id: Int64
    public var deviceID: Int64
    public var startedAt: Date
    public var endedAt: Date?
    public var exitCode: Int64?
    public var directory: String
    public var command: String

    public init(
        id: Int64, deviceID: Int64, startedAt: Date, endedAt: Date? = nil, exitCode: Int64? = nil, directory: String,
        command: String
    ) {
        self.id = id
        self.deviceID = deviceID
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.exitCode = exitCode
        self.directory = directory
        self.command = command
    }

    private var members: [String: JSONValue] {
        [
            "device_id": .integer(deviceID), "cwd": .string(directory), "command": .string(command),
            "started_at": .string(startedAt.formatted(.rookery)),
        ]
    }

    /// As in `GET /api/sessions`, with Companion's keys beside (seed-protocols 8).
    public func json(isActive: Bool, pendingPrompts: Int) -> JSONValue {
        var members = members
        members["id"] = .integer(id)
        members["ended_at"] = endedAt.map { .string($0.formatted(.rookery)) } ?? .null
        members["active"] = .bool(isActive)
        members["pending_prompts"] = .integer(Int64(pendingPrompts))
        members["sessionId"] = .string("remote-\(id)")
        members["state"] = isActive ? "connected" : "exited"
        members["createdAt"] = .integer(startedAt.milliseconds)
        members["archived"] = false
        members["backendType"] = "remote"
        return .object(members)
    }

    var started: JSONValue {
        var members = members
        members["session_id"] = .integer(id)
        return .object(members)
    }
}

/// Which session a question is of: claude-remote's row, or a session that runs here.
public enum ClaudeRemoteSessionID: Sendable, Hashable {
    case remote(Int64)
    case own(SessionID)

    var json: JSONValue {
        switch self {
        case .remote(let id): .integer(id)
        case .own(let id): .string(id.description)
        }
    }
}

/// A question of a session, and its answer: claude-remote's row.
public struct ClaudeRemotePrompt: Sendable, Equatable {
    public var id: Int64
    public var sessionID: ClaudeRemoteSessionID
    public var createdAt: Date
    public var text: String
    /// `approve`, `reject` or the text of the answer.
    public var response: String?
    public var respondedAt: Date?
    /// The text is not all that is asked.
    public var isCut = false

    public init(
        id: Int64, sessionID: ClaudeRemoteSessionID, createdAt: Date, text: String, response: String? = nil,
        respondedAt: Date? = nil
    ) {
        self.id = id
        self.sessionID = sessionID
        self.createdAt = createdAt
        self.text = text
        self.response = response
        self.respondedAt = respondedAt
    }

    public var json: JSONValue {
        [
            "id": .integer(id), "session_id": sessionID.json, "prompt_text": .string(text),
            "created_at": .string(createdAt.formatted(.rookery)),
            "response": response.map { .string($0) } ?? .null,
            "responded_at": respondedAt.map { .string($0.formatted(.rookery)) } ?? .null,
        ]
    }
}

/// What claude-remote's `/events` tells.
public enum ClaudeRemoteEvent: Sendable, Equatable {
    case sessionStart(ClaudeRemoteSession)
    case sessionEnd(ClaudeRemoteSession)
    case output(session: Int64, data: String, time: Date)
    case prompt(ClaudeRemotePrompt)
    case promptResponse(ClaudeRemotePrompt)
    /// A session that runs here began, or ended.
    case ownStart(SessionID, time: Date)
    case ownEnd(SessionID, time: Date)

    public var name: String {
        switch self {
        case .sessionStart, .ownStart: "session_start"
        case .sessionEnd, .ownEnd: "session_end"
        case .output: "output"
        case .prompt: "prompt"
        case .promptResponse: "prompt_response"
        }
    }

    public var data: JSONValue {
        switch self {
        case .sessionStart(let session): session.started
        case .sessionEnd(let session):
            [
                "session_id": .integer(session.id),
                "ended_at": session.endedAt.map { .string($0.formatted(.rookery)) } ?? .null,
                "exit_code": session.exitCode.map { .integer($0) } ?? .null,
            ]
        case .ownStart(let id, let time):
            [
                "session_id": .string(id.description), "device_id": .null, "cwd": "/workspace", "command": "claude",
                "started_at": .string(time.formatted(.rookery)),
            ]
        case .ownEnd(let id, let time):
            [
                "session_id": .string(id.description), "ended_at": .string(time.formatted(.rookery)),
                "exit_code": .null,
            ]
        case .output(let session, let data, let time):
            [
                "session_id": .integer(session), "timestamp": .string(time.formatted(.rookery)),
                "data": .string(data),
            ]
        case .prompt(let prompt):
            [
                "id": .integer(prompt.id), "session_id": prompt.sessionID.json,
                "prompt_text": .string(prompt.text), "created_at": .string(prompt.createdAt.formatted(.rookery)),
            ]
        case .promptResponse(let prompt):
            [
                "id": .integer(prompt.id), "session_id": prompt.sessionID.json,
                "response": prompt.response.map { .string($0) } ?? .null,
                "responded_at": prompt.respondedAt.map { .string($0.formatted(.rookery)) } ?? .null,
            ]
        }
    }

    /// The event as a frame of `text/event-stream`.
    public func frame(id: UInt64) -> String { "id: \(id)\nevent: \(name)\ndata: \(data.text)\n\n" }
}
