import SessionCore

/// What a claude-socket client sends (seed-protocols 2.2).
public enum ClaudeSocketClientMessage: Sendable, Equatable {
    case message(session: String?, content: String, user: String?, time: String?)
    case fetchHistory(session: String?, limit: Int)
    case permissionResponse(request: String, allowed: Bool)

    /// Characters of a session's name.
    public static let longestName = 200
    public static let historyLimits = 1...100

    /// Reads a text frame.
    /// - Throws: the `error` message that answers it.
    public init(parsing text: String) throws(ClaudeSocketRefusal) {
        let fields: ClientFields
        do { fields = try ClientFields(parsing: text) } catch {
            if case .tooLarge = error { throw ClaudeSocketRefusal(session: "", message: "\(error)") }
            throw ClaudeSocketRefusal(session: "", message: "invalid JSON")
        }
        do {
            let session = try fields.optionalString("session_id", limit: Self.longestName)
            switch fields["type"]?.string {
            case "message":
                self = .message(
                    session: session, content: try fields.string("content"),
                    user: try fields.optionalString("user", limit: 200),
                    time: try fields.optionalString("ts", limit: 64))
            case "fetch_history":
                // The original takes any number and brings it into the range.
                let limit = fields["limit"]?.double ?? 50
                guard limit.isFinite else { throw ClientMessageError.badField("limit", "must be a number") }
                self = .fetchHistory(
                    session: session,
                    limit: Int(
                        min(max(limit, Double(Self.historyLimits.lowerBound)), Double(Self.historyLimits.upperBound)))
                )
            case "permission_response":
                self = .permissionResponse(
                    request: try fields.string("request_id", limit: 200), allowed: Self.isTruthy(fields["allowed"]))
            case let type:
                let name = type ?? fields["type"].map(\.text) ?? "undefined"
                throw ClaudeSocketRefusal(
                    session: session ?? "", message: "unknown message type: \(name.prefix(64))")
            }
        } catch let refusal as ClaudeSocketRefusal {
            throw refusal
        } catch {
            throw ClaudeSocketRefusal(
                session: fields["session_id"]?.string.map { String($0.prefix(200)) } ?? "", message: "\(error)")
        }
    }

    /// As JavaScript sees it: only this says yes.
    private static func isTruthy(_ value: JSONValue?) -> Bool {
        switch value {
        case nil, .null: false
        case .bool(let flag): flag
        case .integer(let number): number != 0
        case .number(let number): number != 0 && !number.isNaN
        case .string(let text): !text.isEmpty
        case .array, .object: true
        }
    }
}

/// A message that was not taken, with what its sender is told.
public struct ClaudeSocketRefusal: Error, Sendable, Equatable {
    public var session: String
    public var message: String

    public init(session: String, message: String) {
        self.session = session
        self.message = message
    }

    /// A binary frame.
    public static let binary = ClaudeSocketRefusal(session: "", message: "messages are JSON text, not binary frames")
}
