import Crypto
import Foundation
import Registry
import SessionCore
import Supervisor

/// Which session a claude-socket name stands for. Names are each user's own: the same name of two users is two sessions.
/// A session that a name made carries it as a label, so the names need no storage of their own.
actor ClaudeSocketNames {
    /// Whoever carries it is given claude-socket's MCP server too.
    static let label = "claude-socket"

    private struct Name: Hashable {
        var user: Int64
        var text: String
    }

    private let sessions: any SessionService
    /// Names whose session is not made yet, with the id that it will have.
    private var reserved: [Name: SessionID] = [:]
    private static let mostReserved = 10_000

    init(sessions: any SessionService) { self.sessions = sessions }

    /// The session of a name: the one whose id it is, the one that carries it, or an id for one that is to be made.
    func session(of text: String, for principal: Principal) async throws -> SessionID {
        if let id = SessionID(parsing: text), (try? await sessions.session(id, as: principal)) != nil { return id }
        let filter = SessionFilter(label: SessionLabel(key: Self.label, value: Self.value(of: text)), limit: 200)
        let page = try await sessions.list(filter, as: principal)
        let own = page.items.first { view in
            view.record.ownerID == principal.userID && view.record.lifecycle != .deleted
                && view.record.desired != .deleted
        }
        let name = Name(user: principal.userID, text: text)
        if let own {
            reserved[name] = nil
            return own.record.id
        }
        if let id = reserved[name] { return id }
        guard reserved.count < Self.mostReserved else {
            throw Problem(503, "unavailable", "too many names wait for their first message")
        }
        let id = SessionID()
        reserved[name] = id
        return id
    }

    /// The session was made, or was deleted: the registry knows the name now, or nobody does.
    func release(_ text: String, for principal: Principal) {
        reserved[Name(user: principal.userID, text: text)] = nil
    }

    /// Names are free-form and labels are not.
    static func value(of text: String) -> String {
        SHA256.hash(data: Data(text.utf8)).prefix(16).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// What a session is called that a name makes.
    static func title(of text: String) -> String {
        let visible = String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter {
                    !$0.properties.isDefaultIgnorableCodePoint && $0.value >= 0x20 && $0.value != 0x7F
                }))
        return String("claude-socket \(visible)".prefix(100))
    }
}
