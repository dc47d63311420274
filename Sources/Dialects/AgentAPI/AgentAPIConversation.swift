public import Foundation
public import SessionCore

/// A session as agentapi shows it: numbered messages of user and agent, and whether it is running or stable
/// (seed-protocols 5.1). Everything the agent says from one prompt to the next is one message, which grows.
public struct AgentAPIConversation: Sendable {
    public struct Message: Sendable, Equatable {
        public var id: Int
        public var isUser: Bool
        public var content: String
        public var time: Date
    }

    public enum Status: String, Sendable { case running, stable }

    /// Messages and bytes of text kept; older ones are gone from `/messages`.
    public static let capacity = 2000
    public static let byteCapacity = 8 << 20
    public static let mostErrors = 100

    public private(set) var messages: [Message] = []
    public private(set) var status = Status.running
    public private(set) var errors: [AgentAPIEvent] = []
    private var nextID = 0
    private var bytes = 0

    public init() {}

    /// Takes a fact and answers the events that follow.
    public mutating func apply(_ event: ConversationEvent) -> [AgentAPIEvent] {
        guard !event.isAside else { return [] }
        switch event.fact {
        case .user(let text, _): return [add(text, isUser: true, at: event.time)]
        case .assistant(let text):
            guard !text.isEmpty else { return [] }
            guard let last = messages.last, !last.isUser else { return [add(text, isUser: false, at: event.time)] }
            messages[messages.count - 1].content += "\n\n" + text
            bytes += text.utf8.count
            trim()
            return [.message(messages[messages.count - 1])]
        case .activity(let activity): return move(to: activity == .working ? .running : .stable)
        case .turnStarted: return move(to: .running)
        case .turnEnded: return move(to: .stable)
        case .lifecycle(let lifecycle, let detail):
            switch lifecycle {
            case .failed: return [fail(detail ?? "the session failed", level: "error", at: event.time)]
            case .parked, .stopped, .deleted:
                return move(to: .stable)
                    + [fail("the session is \(lifecycle.rawValue)", level: "warning", at: event.time)]
            default: return []
            }
        case .thinking, .delta, .toolStarted, .toolProgress, .toolEnded, .permissionAsked, .permissionResolved,
            .settings, .channelReply, .channelStatus, .gap:
            return []
        }
    }

    /// The session's state, where its events do not say.
    public mutating func settle(lifecycle: Lifecycle, activity: Activity?) {
        switch activity {
        case .working: status = .running
        case .idle, .pending: status = .stable
        case nil: if lifecycle != .starting, lifecycle != .queued { status = .stable }
        }
    }

    /// What a new reader of `/events` is told first.
    public var opening: [AgentAPIEvent] { messages.map { .message($0) } + [.status(status)] + errors }

    private mutating func add(_ text: String, isUser: Bool, at time: Date) -> AgentAPIEvent {
        let message = Message(id: nextID, isUser: isUser, content: text, time: time)
        nextID += 1
        messages.append(message)
        bytes += text.utf8.count
        trim()
        return .message(message)
    }

    private mutating func trim() {
        while messages.count > 1, messages.count > Self.capacity || bytes > Self.byteCapacity {
            bytes -= messages.removeFirst().content.utf8.count
        }
    }

    private mutating func move(to next: Status) -> [AgentAPIEvent] {
        guard next != status else { return [] }
        status = next
        return [.status(next)]
    }

    private mutating func fail(_ message: String, level: String, at time: Date) -> AgentAPIEvent {
        let event = AgentAPIEvent.error(message: message, level: level, time: time)
        errors.append(event)
        if errors.count > Self.mostErrors { errors.removeFirst() }
        return event
    }
}
