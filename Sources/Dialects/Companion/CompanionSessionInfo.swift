public import Foundation
public import SessionCore

/// One entry of Companion's `GET /api/sessions` (SdkSessionInfo), with claude-remote's keys beside it: the path is both
/// protocols' (seed-protocols 8).
public struct CompanionSessionInfo: Sendable, Equatable {
    public var facts: CompanionFacts
    public var lifecycle: Lifecycle
    public var activity: Activity?
    public var createdAt: Date
    public var isArchived: Bool
    public var processID: Int32?
    public var pendingPrompts: Int

    public init(
        facts: CompanionFacts, lifecycle: Lifecycle, activity: Activity?, createdAt: Date, isArchived: Bool,
        processID: Int32? = nil, pendingPrompts: Int = 0
    ) {
        self.facts = facts
        self.lifecycle = lifecycle
        self.activity = activity
        self.createdAt = createdAt
        self.isArchived = isArchived
        self.processID = processID
        self.pendingPrompts = pendingPrompts
    }

    /// `starting`, `connected`, `running` or `exited`.
    public var state: String {
        switch lifecycle {
        case .queued, .starting: "starting"
        case .running, .parking, .stopping: activity == .working ? "running" : "connected"
        case .parked, .stopped, .failed, .deleted: "exited"
        }
    }

    public var json: JSONValue {
        let id = JSONValue.string(facts.id.description)
        var members: [String: JSONValue] = [
            "sessionId": id, "cliSessionId": id, "state": .string(state), "model": .string(facts.model ?? ""),
            "permissionMode": .string(facts.permissionMode ?? "default"), "cwd": .string(facts.directory),
            "createdAt": .integer(createdAt.milliseconds), "archived": .bool(isArchived), "backendType": "claude",
            // claude-remote's
            "id": id, "uuid": id, "device_id": .null, "started_at": .string(createdAt.formatted(.rookery)),
            "ended_at": .null, "command": "claude", "active": .bool(lifecycle.hasIncarnation),
            "pending_prompts": .integer(Int64(pendingPrompts)),
        ]
        if let name = facts.name { members["name"] = .string(name) }
        if let processID { members["pid"] = .integer(Int64(processID)) }
        return .object(members)
    }
}

/// The body of `POST /api/sessions/create`; what belongs to a machine of one's own (binaries, containers, worktrees) is
/// the policy's here and ignored.
public struct CompanionCreation: Sendable, Equatable {
    public var model: String?
    public var permissionMode: String?
    public var environment: [String: String] = [:]

    public init(_ body: JSONValue) throws(ClientMessageError) {
        let fields = try ClientFields(body)
        if let backend = try fields.optionalString("backend"), backend != "claude" {
            throw .badField("backend", "must be 'claude'")
        }
        model = try fields.optionalString("model", limit: 255)
        permissionMode = try fields.optionalString("permissionMode", limit: 64)
        guard case .object(let variables)? = try fields.object("env") else { return }
        for (name, value) in variables {
            guard let text = value.string else { throw .badField("env", "has a value that is not a string") }
            environment[name] = text
        }
    }
}
