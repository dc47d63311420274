import Foundation
import Logging
import Synchronization

/// The accounts of all sessions and tenants that use the network, and their way into the registry.
final class EgressBooks: Sendable {
    private struct State {
        var sessions: [UUID: EgressAccount] = [:]
        /// As many as there are tenants: none is forgotten.
        var tenants: [Int64: EgressAccount] = [:]
    }

    private let authority: any EgressAuthority
    private let logger: Logger
    private let state = Mutex(State())

    init(authority: any EgressAuthority, logger: Logger) {
        self.authority = authority
        self.logger = logger
    }

    /// A connection's share.
    /// - Throws: when there is none to be had, or what was booked cannot be read: then nothing is let out.
    func use(
        of id: UUID, _ grant: EgressGrant, for target: EgressDestination
    ) async throws(EgressRefusal) -> EgressUse {
        if let (session, tenant) = known(id, grant.tenant) {
            return try EgressUse(grant, session: session, tenant: tenant, for: target)
        }
        let day = EgressDay.now
        let booked: (session: Int64, tenant: Int64)
        do { booked = try await authority.egressBooked(of: id, tenant: grant.tenant, day: day.text) } catch {
            logger.error("egress accounts cannot be read", metadata: ["session": "\(id)", "error": "\(error)"])
            throw .unavailable(target)
        }
        // Another connection may have been as far meanwhile: its accounts count already.
        let (session, tenant) = state.withLock { state in
            let session = state.sessions[id] ?? EgressAccount(day: day, bytes: booked.session)
            let tenant = state.tenants[grant.tenant] ?? EgressAccount(day: day, bytes: booked.tenant)
            state.sessions[id] = session
            state.tenants[grant.tenant] = tenant
            return (session, tenant)
        }
        return try EgressUse(grant, session: session, tenant: tenant, for: target)
    }

    private func known(_ id: UUID, _ tenant: Int64) -> (EgressAccount, EgressAccount)? {
        state.withLock { state in
            guard let session = state.sessions[id], let tenant = state.tenants[tenant] else { return nil }
            return (session, tenant)
        }
    }

    func connections(of id: UUID) -> Int { state.withLock { $0.sessions[id] }?.connections ?? 0 }

    /// Books what has moved since the last call, and forgets accounts that rest.
    func book() async {
        let accounts = state.withLock { $0.sessions }
        var taken: [(account: EgressAccount, moved: [EgressDay: EgressAccount.Moved])] = []
        var bookings: [EgressBooking] = []
        for (id, account) in accounts {
            let moved = account.takeUnbooked()
            guard !moved.isEmpty else { continue }
            taken.append((account, moved))
            bookings += moved.map { day, moved in
                EgressBooking(
                    session: id, day: day.text, sent: moved.sent, received: moved.received,
                    connections: moved.connections)
            }
        }
        if !bookings.isEmpty {
            do { try await authority.book(bookings) } catch {
                for (account, moved) in taken { account.putBack(moved) }
                logger.error("egress is not booked yet", metadata: ["error": "\(error)"])
            }
        }
        state.withLock { state in state.sessions = state.sessions.filter { !$0.value.isAtRest } }
    }
}
