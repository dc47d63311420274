public import Foundation
public import SessionCore

/// What Companion browsers are sent (seed-protocols 3.3).
public enum CompanionServerMessage: Sendable, Equatable {
    case sessionInit(JSONValue)
    case sessionUpdate(JSONValue)
    /// A message as the CLI writes it.
    case assistant(message: JSONValue, parent: String?, time: Date)
    case streamEvent(JSONValue, parent: String?)
    case systemEvent(JSONValue)
    case result(JSONValue)
    case permissionRequest(PermissionQuestion, time: Date)
    case permissionCancelled(String)
    case toolProgress(ToolCall, seconds: Double)
    case statusChange(String?)
    case phase(CompanionPhase, previous: CompanionPhase)
    case cliConnected
    case cliDisconnected
    case userMessage(String, id: String, time: Date)
    case mcpStatus(JSONValue)
    case nameUpdate(String)
    case error(String)
    case messageHistory([JSONValue])
    case eventReplay([CompanionFrame])

    /// Told again to who comes back; the rest describes the moment it was sent in.
    var isBuffered: Bool {
        switch self {
        case .sessionInit, .messageHistory, .eventReplay, .mcpStatus: false
        default: true
        }
    }

    /// In `message_history`, so not told again beside it.
    public var isInHistory: Bool {
        switch self {
        case .assistant, .result, .userMessage, .systemEvent, .error: true
        default: false
        }
    }

    public var json: JSONValue {
        switch self {
        case .sessionInit(let session): ["type": "session_init", "session": session]
        case .sessionUpdate(let session): ["type": "session_update", "session": session]
        case .assistant(let message, let parent, let time):
            [
                "type": "assistant", "message": message, "parent_tool_use_id": parent.map { .string($0) } ?? .null,
                "timestamp": .integer(time.milliseconds),
            ]
        case .streamEvent(let event, let parent):
            [
                "type": "stream_event", "event": event,
                "parent_tool_use_id": parent.map { .string($0) } ?? .null,
            ]
        case .systemEvent(let event): ["type": "system_event", "event": event]
        case .result(let data): ["type": "result", "data": data]
        case .permissionRequest(let question, let time):
            ["type": "permission_request", "request": question.companion(at: time)]
        case .permissionCancelled(let id): ["type": "permission_cancelled", "request_id": .string(id)]
        case .toolProgress(let call, let seconds):
            [
                "type": "tool_progress", "tool_use_id": .string(call.id), "tool_name": .string(call.name),
                "elapsed_time_seconds": .number(seconds),
            ]
        case .statusChange(let status):
            ["type": "status_change", "status": status.map { .string($0) } ?? .null]
        case .phase(let phase, let previous):
            [
                "type": "session_phase", "phase": .string(phase.rawValue),
                "previousPhase": .string(previous.rawValue),
            ]
        case .cliConnected: ["type": "cli_connected"]
        case .cliDisconnected: ["type": "cli_disconnected"]
        case .userMessage(let text, let id, let time):
            [
                "type": "user_message", "content": .string(text), "id": .string(id),
                "timestamp": .integer(time.milliseconds),
            ]
        case .mcpStatus(let servers): ["type": "mcp_status", "servers": servers]
        case .nameUpdate(let name): ["type": "session_name_update", "name": .string(name)]
        case .error(let message): ["type": "error", "message": .string(message)]
        case .messageHistory(let messages): ["type": "message_history", "messages": .array(messages)]
        case .eventReplay(let frames):
            [
                "type": "event_replay",
                "events": .array(
                    frames.map { ["seq": .integer(Int64(clamping: $0.seq ?? 0)), "message": $0.message.json] }),
            ]
        }
    }
}

/// What a session is doing, in Companion's words.
public enum CompanionPhase: String, Sendable, Equatable {
    case starting, initializing, ready, streaming, compacting, reconnecting, terminated
    case awaitingPermission = "awaiting_permission"
}

/// A message with its number. Numbers rise strictly within a session and are those of the session's log, so that they
/// hold across connections and restarts; what one event leads to is numbered within it.
public struct CompanionFrame: Sendable, Equatable {
    public var seq: UInt64?
    public var message: CompanionServerMessage

    public init(seq: UInt64?, _ message: CompanionServerMessage) {
        self.seq = seq
        self.message = message
    }

    /// Messages that one event can lead to.
    static let perEvent: UInt64 = 16

    public var json: JSONValue {
        guard let seq, case .object(var members) = message.json else { return message.json }
        members["seq"] = .integer(Int64(clamping: seq))
        return .object(members)
    }
}

extension PermissionQuestion {
    func companion(at time: Date) -> JSONValue {
        var members: [String: JSONValue] = [
            "request_id": .string(id), "tool_name": .string(tool), "input": input,
            "tool_use_id": .string(toolUseID ?? id), "description": .string(summary),
            "timestamp": .integer(time.milliseconds),
        ]
        if let suggestions { members["permission_suggestions"] = suggestions }
        return .object(members)
    }
}

extension Date {
    /// Since 1970.
    public var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded()) }
}
