import Foundation
import Policy
import Registry
import SessionCore

/// How a share link looks, and how long it may work.
enum ShareLink {
    /// What the secret of every link begins with.
    static let prefix = "rs_"
    /// Where none is asked for.
    static let standardLife = TimeSpan.hours(24)
    static let lives = TimeSpan.minutes(1)...TimeSpan.hours(30 * 24)

    /// Where the page opens with a link. The secret is in the fragment, which no browser sends and no server logs.
    static func path(of session: SessionID, token: String) -> String { "/?id=\(session)#share=\(token)" }
}

/// The body of `POST …/shares`.
struct ShareBody {
    var role: ShareRole
    var name: String?
    var life: TimeSpan

    init(body: JSONValue) throws(Problem) {
        let fields = try BodyFields(body, allowed: ["role", "name", "expires_in"])
        guard let role = try fields.choice("role", of: ShareRole.self) else {
            throw Problem.invalid("'role' is missing: view, approve or drive", field: "role")
        }
        self.role = role
        name = try fields.string("name", most: 128)
        life = try fields.duration("expires_in") ?? ShareLink.standardLife
        guard ShareLink.lives.contains(life) else {
            throw Problem.invalid(
                "'expires_in' must be \(ShareLink.lives.lowerBound) to \(ShareLink.lives.upperBound)",
                field: "expires_in")
        }
    }
}

/// A share link as lists show it; `token` and `path` only in the answer that made it.
struct ShareDocument: Encodable, Sendable {
    var id: String
    var sessionID: SessionID
    var role: ShareRole
    var name: String?
    var createdBy: String
    var createdAt: Date
    var expiresAt: Date
    var lastUsedAt: Date?
    var token: String?
    var path: String?

    init(_ record: ShareRecord, token: String? = nil) {
        id = record.publicID
        sessionID = record.sessionID
        role = record.role
        name = record.label
        createdBy = record.createdBy
        createdAt = record.createdAt
        expiresAt = record.expiresAt
        lastUsedAt = record.lastUsedAt
        self.token = token
        path = token.map { ShareLink.path(of: record.sessionID, token: $0) }
    }
}
