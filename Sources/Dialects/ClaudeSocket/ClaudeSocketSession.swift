public import Foundation
public import SessionCore

/// A session as claude-socket shows it: the last hundred messages, what it is doing, and what it asks.
public struct ClaudeSocketSession: Sendable {
    /// Messages kept (seed-protocols 2.4).
    public static let capacity = 100
    private static let mostQuestions = 64
    /// Permissions whose ids are known: of one that was answered, the session says by whom.
    private static let mostAsked = 256

    public private(set) var history: [ClaudeSocketEntry] = []
    /// Open questions, oldest first: told to whoever comes late.
    public private(set) var questions: [PermissionQuestion] = []
    private var asked: [String] = []
    private var status: (String, String?)?
    /// Messages of clients that the session has not said back.
    private var awaited: [String] = []

    public init() {}

    /// Takes a fact and answers what the session's clients are told.
    public mutating func apply(_ event: ConversationEvent) -> [ClaudeSocketServerMessage] {
        guard !event.isAside else { return [] }
        switch event.fact {
        case .user(let text, _):
            if let end = awaitedEnd(of: text) {
                awaited.removeFirst(end)
                return []
            }
            keep(ClaudeSocketEntry(isUser: true, content: text, time: event.time))
            return [.message(content: text, time: event.time)]
        case .assistant(let text), .channelReply(let text):
            guard !text.isEmpty else { return [] }
            keep(ClaudeSocketEntry(isUser: false, content: text, time: event.time))
            return [.reply(id: Self.messageID(event.seq), content: text, time: event.time)]
        case .thinking, .turnStarted, .activity(.working): return tell("thinking", nil)
        case .channelStatus(let status, let detail): return tell(status, detail)
        case .toolStarted(let call): return tell("tool_use", call.name)
        case .toolEnded: return tell("thinking", nil)
        case .activity(.idle), .turnEnded:
            return tell("idle", nil)
        case .permissionAsked(let question):
            questions.removeAll { $0.id == question.id }
            questions.append(question)
            asked.append(question.id)
            if asked.count > Self.mostAsked { asked.removeFirst() }
            if questions.count > Self.mostQuestions { questions.removeFirst() }
            return [.permissionRequest(question)]
        case .permissionResolved(let id, let allowed, let by):
            guard questions.contains(where: { $0.id == id }) else { return [] }
            questions.removeAll { $0.id == id }
            return [.permissionResolved(request: id, allowed: allowed, by: by)]
        case .lifecycle(let lifecycle, let detail):
            guard !lifecycle.hasIncarnation else { return [] }
            questions = []
            status = nil
            switch lifecycle {
            case .failed: return [.error("the session failed: \(detail ?? "it says no more")")]
            case .deleted: return [.error("the session was deleted")]
            default: return []
            }
        case .delta, .toolProgress, .activity(.pending), .settings, .gap: return []
        }
    }

    /// A client's message is on its way: it is in the history at once, and what the session says of it later is not said
    /// again.
    public mutating func take(_ content: String, at time: Date) -> [ClaudeSocketServerMessage] {
        keep(ClaudeSocketEntry(isUser: true, content: content, time: time))
        awaited.append(content)
        if awaited.count > Self.capacity { awaited.removeFirst() }
        return [.message(content: content, time: time)]
    }

    /// The session's state, where its events do not say.
    public mutating func settle(lifecycle: Lifecycle, activity: Activity?) {
        if !lifecycle.hasIncarnation { questions = [] }
        switch activity {
        case .idle: status = ("idle", nil)
        case .working: status = ("thinking", nil)
        case .pending, nil: break
        }
    }

    /// Whether the session asked for the permission of that id, answered or not.
    public func asked(_ id: String) -> Bool { asked.contains(id) }

    /// The last messages, oldest first.
    public func history(limit: Int) -> [ClaudeSocketEntry] { Array(history.suffix(limit)) }

    private mutating func keep(_ entry: ClaudeSocketEntry) {
        history.append(entry)
        if history.count > Self.capacity { history.removeFirst(history.count - Self.capacity) }
    }

    /// How many awaited messages are done when the session says `text`: it may say several that waited as one.
    private func awaitedEnd(of text: String) -> Int? {
        for start in awaited.indices {
            var joined = awaited[start]
            var end = start + 1
            while !Self.isSame(joined, text), joined.utf8.count < text.utf8.count, end < awaited.count {
                joined += "\n" + awaited[end]
                end += 1
            }
            if Self.isSame(joined, text) { return end }
        }
        return nil
    }

    /// Typing loses the white space around a text.
    private static func isSame(_ sent: String, _ said: String) -> Bool {
        sent.trimmingCharacters(in: .whitespacesAndNewlines) == said.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private mutating func tell(_ next: String, _ detail: String?) -> [ClaudeSocketServerMessage] {
        if let status, status == (next, detail) { return [] }
        status = (next, detail)
        return [.status(next, detail: detail)]
    }

    /// 16 hexadecimal digits, the same for the same message whenever it is told.
    static func messageID(_ seq: UInt64) -> String {
        let digits = String(seq, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
