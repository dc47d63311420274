import Foundation
import Registry
import SessionCore
import Synchronization

/// Tickets for WebSocket and SSE clients that cannot set headers: one use, 30 seconds, perhaps for one session only.
final class TicketStore: Sendable {
    static let lifetime: TimeInterval = 30
    static let most = 10_000
    /// Unused tickets of one user, or of one share link, so that nobody fills the store for the others.
    static let mostEach = 100

    private struct Ticket {
        var principal: Principal
        var session: SessionID?
        var expires: Date
    }

    private let tickets = Mutex<[Data: Ticket]>([:])

    func issue(
        to principal: Principal, session: SessionID?, now: Date = Date()
    ) throws(Problem) -> (ticket: String, expires: Date) {
        let secret = Secret(prefix: "tk_")
        let expires = now.addingTimeInterval(Self.lifetime)
        let issued = tickets.withLock { tickets in
            if tickets.count >= Self.mostEach { tickets = tickets.filter { $0.value.expires > now } }
            guard tickets.count < Self.most,
                tickets.values.count(where: { $0.principal.isSame(as: principal) }) < Self.mostEach
            else { return false }
            tickets[Secret.hash(secret.text)] = Ticket(principal: principal, session: session, expires: expires)
            return true
        }
        guard issued else {
            throw Problem(
                429, "too_many_tickets", "too many tickets are unused; use them or wait 30 s",
                retryAfter: Int(Self.lifetime))
        }
        return (secret.text, expires)
    }

    /// Uses a ticket up. A ticket of one session is good for that one only, and a wrong try uses it up too.
    func redeem(_ ticket: String, session: SessionID?, now: Date = Date()) -> Principal? {
        let key = Secret.hash(ticket)
        guard let found = tickets.withLock({ $0.removeValue(forKey: key) }), found.expires > now else { return nil }
        if let bound = found.session, bound != session { return nil }
        return found.principal
    }
}

extension Principal {
    fileprivate func isSame(as other: Principal) -> Bool { userID == other.userID && share?.id == other.share?.id }
}
