public import Foundation

/// The permissions that a session asks for: what is open, and who answered what.
///
/// A pure value, the same for every kind of session. The first answer counts; whoever comes later learns whose it was.
public struct PermissionLedger: Sendable {
    /// What is asked.
    public struct Question: Sendable, Hashable {
        public enum Kind: String, Sendable, Hashable { case tool, question, plan }

        public var id: String
        public var kind: Kind
        public var toolName: String
        /// nil where it was too large to be shown.
        public var input: JSONValue?
        public var description: String?
        public var toolUseID: String?
        /// Rules that the program suggests to remember.
        public var suggestions: JSONValue?
        /// Only the terminal can answer it.
        public var isAnswerable = true
        public var since: Date
        public var expires: Date?

        public init(
            id: String, toolName: String, input: JSONValue?, description: String? = nil, toolUseID: String? = nil,
            suggestions: JSONValue? = nil, since: Date
        ) {
            self.id = id
            self.toolName = toolName
            self.input = input
            self.description = description
            self.toolUseID = toolUseID
            self.suggestions = suggestions
            self.since = since
            kind =
                switch toolName {
                case "AskUserQuestion": .question
                case "ExitPlanMode": .plan
                default: .tool
                }
        }

        /// The `data` of `permission.requested`.
        public var data: JSONValue {
            var data: [String: JSONValue] = [
                "id": .string(id), "kind": .string(kind.rawValue), "tool_name": .string(toolName),
                "answerable": .bool(isAnswerable), "since": .string(since.formatted(.rookery)),
            ]
            if let input {
                data["tool_input"] = input
                data["visible"] = .string(VisibleText.of(input: input))
            } else {
                data["truncated"] = true
            }
            if let description { data["description"] = .string(VisibleText.of(description)) }
            if let toolUseID { data["tool_use_id"] = .string(toolUseID) }
            if let suggestions { data["suggestions"] = suggestions }
            if let expires { data["expires_at"] = .string(expires.formatted(.rookery)) }
            return .object(data)
        }
    }

    /// How a question came to its end.
    public struct Resolution: Sendable, Hashable {
        public enum Outcome: String, Sendable, Hashable { case allowed, denied, withdrawn }
        public enum Way: String, Sendable, Hashable { case client, terminal, policy, timeout, session }

        public var outcome: Outcome
        public var way: Way
        /// Who, where somebody did.
        public var by: String?
        public var message: String?
        public var isUpdated = false
        public var remember: PermissionAnswer.Remember?
        /// What is remembered, as rules of Claude Code's settings.
        public var rules: [String] = []
        public var time: Date

        public init(_ outcome: Outcome, by: String? = nil, way: Way, at time: Date) {
            self.outcome = outcome
            self.by = by
            self.way = way
            self.time = time
        }
    }

    /// Those without an answer, the oldest first.
    public private(set) var open: [Question] = []
    /// The newest that have one.
    private var resolved: [(id: String, resolution: Resolution)] = []
    private static let mostResolved = 256

    public init() {}

    /// - Returns: false when it is there already, or was answered.
    public mutating func ask(_ question: Question) -> Bool {
        guard !open.contains(where: { $0.id == question.id }), resolution(of: question.id) == nil else { return false }
        open.append(question)
        return true
    }

    /// The first answer to an open question. `permission_id` may be the id of the tool's call too.
    /// - Throws: `no_such_permission`, `already_answered`, `not_answerable`.
    public func question(for answer: PermissionAnswer) throws(CommandFailure) -> Question {
        if let question = open.first(where: { $0.id == answer.id || $0.toolUseID == answer.id }) {
            guard question.isAnswerable else {
                throw CommandFailure("not_answerable", "only the session's terminal can answer this")
            }
            guard answer.decision == .deny || question.input != nil else {
                throw CommandFailure(
                    "not_answerable", "its input is too large to be shown whole: it can be denied only")
            }
            return question
        }
        guard let earlier = resolution(of: answer.id) else {
            throw CommandFailure("no_such_permission", "the session asks for no permission '\(answer.id.prefix(64))'")
        }
        var data: [String: JSONValue] = [
            "decision": .string(earlier.outcome.rawValue), "via": .string(earlier.way.rawValue),
            "time": .string(earlier.time.formatted(.rookery)),
        ]
        if let by = earlier.by { data["by"] = .string(by) }
        let who = earlier.by.map { "\(earlier.outcome.rawValue) by \($0)" } ?? earlier.outcome.rawValue
        throw CommandFailure("already_answered", "it was \(who) before", data: .object(data))
    }

    /// Closes a question.
    /// - Returns: the `data` of `permission.resolved`; nil when it is not open.
    public mutating func resolve(_ id: String, _ resolution: Resolution) -> JSONValue? {
        guard let index = open.firstIndex(where: { $0.id == id }) else { return nil }
        let question = open.remove(at: index)
        resolved.append((id, resolution))
        if resolved.count > Self.mostResolved { resolved.removeFirst() }
        var data: [String: JSONValue] = [
            "id": .string(id), "resolution": .string(resolution.outcome.rawValue),
            "via": .string(resolution.way.rawValue), "tool_name": .string(question.toolName),
        ]
        if let by = resolution.by { data["by"] = .string(by) }
        if let message = resolution.message { data["message"] = .string(message) }
        if resolution.isUpdated { data["updated"] = true }
        if let remember = resolution.remember { data["remember"] = .string(remember.rawValue) }
        if !resolution.rules.isEmpty { data["rules"] = .array(resolution.rules.map { .string($0) }) }
        return .object(data)
    }

    /// Whether a client can answer an open question.
    public mutating func setAnswerable(_ id: String, _ isAnswerable: Bool) {
        guard let index = open.firstIndex(where: { $0.id == id }) else { return }
        open[index].isAnswerable = isAnswerable
    }

    private func resolution(of id: String) -> Resolution? { resolved.last { $0.id == id }?.resolution }
}
