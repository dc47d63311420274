public import SessionCore

/// The oldest form of echokit's protocol, on `/ws` without an id: `command` in, `response` out (seed-protocols 1.9).
public struct EchokitCommand: Sendable, Equatable {
    public var content: String
    /// Another session than the connection's.
    public var session: String?

    /// nil for what is no command.
    public init?(parsing text: String) {
        do {
            let fields = try ClientFields(parsing: text)
            guard try fields.type() == "command" else { return nil }
            content = try fields.string("content")
            session = try fields.optionalString("session_id", limit: 64)
        } catch {
            return nil
        }
    }

    /// One text of the assistant.
    public static func response(_ text: String, session: SessionID, isDone: Bool) -> JSONValue {
        var members: [String: JSONValue] = [
            "type": "response", "content": .string(text), "session_id": .string(session.description),
        ]
        if isDone { members["done"] = true }
        return .object(members)
    }
}

/// Turns facts into responses. The last one of a turn says so, thus each waits for what follows it.
public struct EchokitResponses: Sendable {
    private let session: SessionID
    private var held: String?
    private var isAsked = false
    private var isTurnOpen = false

    public init(_ session: SessionID) { self.session = session }

    /// A command was taken: what is said from now on is the answer.
    public mutating func asked() { isAsked = true }

    public mutating func apply(_ fact: ConversationFact) -> [JSONValue] {
        switch fact {
        case .assistant(let text):
            guard isAsked, !text.isEmpty else { return [] }
            let before = flush(isDone: false)
            held = text
            // The end of a turn may be known before its last words are.
            return before + (isTurnOpen ? [] : flush(isDone: true))
        case .turnStarted, .activity(.working):
            isTurnOpen = true
            return []
        case .turnEnded, .activity(.idle):
            isTurnOpen = false
            return flush(isDone: true)
        case .permissionAsked, .toolStarted: return flush(isDone: false)
        default: return []
        }
    }

    private mutating func flush(isDone: Bool) -> [JSONValue] {
        guard let text = held else { return [] }
        held = nil
        return [EchokitCommand.response(text, session: session, isDone: isDone)]
    }
}

/// Whose `/ws` without an id is: decided by the first message (seed-protocols 8).
public enum SharedSocketProtocol: Sendable, Equatable {
    case claudeRemote, echokit, unknown

    public init(first text: String) {
        if EchokitCommand(parsing: text) != nil || EchokitClientMessage(parsing: text.utf8) != nil {
            self = .echokit
        } else if let fields = try? ClientFields(parsing: text), fields["type"]?.string == "auth" {
            self = .claudeRemote
        } else {
            self = .unknown
        }
    }
}
