public import Foundation
public import SessionCore

/// What became of the sessions that a supervisor found when it started (`GET /v1/recovery`).
public struct AdoptionReport: Codable, Sendable {
    public enum Outcome: String, Codable, Sendable, Hashable {
        /// Its worker lives and goes on.
        case adopted
        /// Its worker was gone, and the session was started again.
        case resumed
        /// It waits for its turn to be started again.
        case waiting
        /// It could not be started again, or was ended as it was meant to be.
        case failed
        /// It was being ended when the last supervisor went, and was ended.
        case ended
    }

    public struct Session: Codable, Sendable {
        public var id: SessionID
        public var outcome: Outcome
        /// Why, in words.
        public var reason: String
    }

    public var startedAt: Date
    /// How long the start took until the API could be served, in seconds.
    public var seconds: Double
    /// The host was started anew since the last supervisor: nothing can have survived.
    public var afterReboot: Bool
    public var sessions: [Session]
    /// Sessions that the registry does not know and of which there is data. It is left alone.
    public var unowned: [String] = []

    public init(startedAt: Date, seconds: Double, afterReboot: Bool, sessions: [Session]) {
        self.startedAt = startedAt
        self.seconds = seconds
        self.afterReboot = afterReboot
        self.sessions = sessions
    }

    enum CodingKeys: String, CodingKey {
        case startedAt = "started_at"
        case seconds
        case afterReboot = "after_reboot"
        case sessions, unowned
    }

    public func count(_ outcome: Outcome) -> Int { sessions.count { $0.outcome == outcome } }

    /// For a log line and `/readyz`.
    public var summary: String {
        let parts = [Outcome.adopted, .resumed, .waiting, .failed, .ended].compactMap { outcome in
            count(outcome) > 0 ? "\(count(outcome)) \(outcome.rawValue)" : nil
        }
        return parts.isEmpty ? "nothing to recover" : parts.joined(separator: ", ")
    }

    mutating func note(_ id: SessionID, _ outcome: Outcome, _ reason: String) {
        let session = Session(id: id, outcome: outcome, reason: reason)
        if let index = sessions.firstIndex(where: { $0.id == id }) {
            sessions[index] = session
        } else {
            sessions.append(session)
        }
    }
}
