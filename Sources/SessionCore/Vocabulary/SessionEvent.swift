public import Foundation

/// The one event vocabulary of SSE, WebSocket and the session's log (API v1, "Events").
public enum EventType: String, Codable, Sendable, Hashable, CaseIterable {
    case sessionCreated = "session.created"
    case sessionStarting = "session.starting"
    case sessionRunning = "session.running"
    case sessionActivity = "session.activity"
    case sessionParking = "session.parking"
    case sessionParked = "session.parked"
    case sessionStopping = "session.stopping"
    case sessionStopped = "session.stopped"
    case sessionFailed = "session.failed"
    case sessionDeleted = "session.deleted"
    /// Another supervisor has taken the running session over.
    case sessionAdopted = "session.adopted"
    case sessionReapWarning = "session.reap_warning"
    case sessionLimits = "session.limits"
    case sessionOOM = "session.oom"
    case sessionJournal = "session.journal"
    case policyViolation = "policy.violation"
    case inputAccepted = "input.accepted"
    case inputDelivered = "input.delivered"
    case turnStarted = "turn.started"
    case turnCompleted = "turn.completed"
    case messageUser = "message.user"
    case messageAssistant = "message.assistant"
    case messageThinking = "message.thinking"
    case toolStarted = "tool.started"
    case toolCompleted = "tool.completed"
    case permissionRequested = "permission.requested"
    case permissionResolved = "permission.resolved"
    case clientAttached = "client.attached"
    case clientDetached = "client.detached"
    case terminalResized = "terminal.resized"
    case gap
}

/// One entry of a session's log as the outside sees it. `seq` rises strictly within a session, across
/// incarnations; it is not dense, because terminal output takes numbers too.
public struct SessionEvent: Codable, Sendable, Hashable {
    public var seq: UInt64
    public var time: Date
    public var sessionID: SessionID
    public var incarnation: Int
    public var type: EventType
    public var data: JSONValue

    public init(
        seq: UInt64, time: Date, sessionID: SessionID, incarnation: Int, type: EventType, data: JSONValue = [:]
    ) {
        self.seq = seq
        self.time = time
        self.sessionID = sessionID
        self.incarnation = incarnation
        self.type = type
        self.data = data
    }

    enum CodingKeys: String, CodingKey {
        case seq, time
        case sessionID = "session_id"
        case incarnation, type, data
    }
}

extension JSONEncoder {
    /// The encoder of every document that leaves the project: RFC 3339 times, keys in a stable order.
    public static var rookery: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(date.formatted(.rookery))
        }
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}

extension JSONDecoder {
    /// The counterpart of `JSONEncoder.rookery`.
    public static var rookery: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self)
            guard let date = try? Date(text, strategy: .rookery) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "'\(text)' is not an RFC 3339 time")
            }
            return date
        }
        return decoder
    }
}

extension FormatStyle where Self == Date.ISO8601FormatStyle {
    /// RFC 3339, UTC, milliseconds: `2026-11-21T09:40:00.123Z`.
    public static var rookery: Date.ISO8601FormatStyle { .init(includingFractionalSeconds: true) }
}

extension ParseStrategy where Self == Date.ISO8601FormatStyle {
    /// RFC 3339, UTC, milliseconds: `2026-11-21T09:40:00.123Z`.
    public static var rookery: Date.ISO8601FormatStyle { .init(includingFractionalSeconds: true) }
}
