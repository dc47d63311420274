import Foundation
import NIOCore
import Policy
import Synchronization

/// Looks names up for sessions, so that a server of names that does not answer holds up nobody else. A look-up cannot be
/// called back: it keeps its thread until the system gives it up. So a session has few of them under way, whoever waits is
/// let go after a while, whatever becomes of the look-up, and what several ask for is looked up once.
final class NameLookups: Sendable {
    struct Bounds: Sendable {
        /// Look-ups under way that began for one session, also those that nobody waits for any more.
        var ofSession = 2
        /// Of all sessions.
        var together = 64
        /// For whoever asks, its turn included.
        var patience = Duration.seconds(5)
    }

    enum Failure: Error, Hashable {
        /// Asked, and not answered.
        case slow
        /// Not asked: look-ups of this session, or of all, are under way for too long.
        case crowded(ofSession: Bool)
        case cancelled
    }

    private typealias Answer = Result<[SocketAddress], Failure>

    private struct Waiter {
        var ticket: Int
        var session: UUID
        var continuation: CheckedContinuation<Answer, Never>
    }

    private struct Lookup {
        var port: Int
        /// For which session it began; nil: its turn has not come.
        var owner: UUID?
        /// In the order in which they came.
        var waiters: [Waiter]
    }

    private struct State {
        var lookups: [EgressHost: Lookup] = [:]
        /// Those whose turn has not come, in order.
        var queue: [EgressHost] = []
        var underWay = 0
        var held: [UUID: Int] = [:]
        var tickets = 0
    }

    let bounds: Bounds
    private let resolver: any HostResolver
    private let state = Mutex(State())

    init(_ resolver: any HostResolver, bounds: Bounds = Bounds()) {
        self.resolver = resolver
        self.bounds = bounds
    }

    /// - Returns: nothing when there is no such host.
    func addresses(of target: EgressDestination, for session: UUID) async throws(Failure) -> [SocketAddress] {
        if target.host.isAddress {
            return [try? SocketAddress(ipAddress: target.host.text, port: target.port)].compactMap(\.self)
        }
        let ticket = state.withLock { state in
            state.tickets += 1
            return state.tickets
        }
        let host = target.host
        let timer = Task {
            guard (try? await Task.sleep(for: bounds.patience)) != nil else { return }
            leave(host, ticket, cancelled: false)
        }
        defer { timer.cancel() }
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enter(target, Waiter(ticket: ticket, session: session, continuation: continuation))
                // Cancelled before there was anything to take back.
                if Task.isCancelled { leave(host, ticket, cancelled: true) }
            }
        } onCancel: {
            leave(host, ticket, cancelled: true)
        }
        return try answer.get().map { address in
            var address = address
            address.port = target.port
            return address
        }
    }

    private func enter(_ target: EgressDestination, _ waiter: Waiter) {
        let host = target.host
        let begins = state.withLock { state in
            if state.lookups[host] == nil {
                state.lookups[host] = Lookup(port: target.port, waiters: [])
                state.queue.append(host)
            }
            state.lookups[host]?.waiters.append(waiter)
            return begin(&state, host)
        }
        if let begins { look(begins) }
    }

    private typealias Question = (host: EgressHost, port: Int)

    /// Gives a look-up its turn, on the account of the first of its waiters that has room: nobody waits for a name because
    /// somebody else, who has none, asked for it first.
    private func begin(_ state: inout State, _ host: EgressHost) -> Question? {
        guard state.underWay < bounds.together, let lookup = state.lookups[host], lookup.owner == nil,
            let payer = lookup.waiters.first(where: { state.held[$0.session, default: 0] < bounds.ofSession })
        else { return nil }
        state.lookups[host]?.owner = payer.session
        state.queue.removeAll { $0 == host }
        state.held[payer.session, default: 0] += 1
        state.underWay += 1
        return (host, lookup.port)
    }

    private func look(_ question: Question) {
        Task { end(question.host, await resolver.addresses(of: question.host, port: question.port)) }
    }

    private func end(_ host: EgressHost, _ found: [SocketAddress]) {
        let (waiters, next) = state.withLock { state -> ([Waiter], [Question]) in
            guard let lookup = state.lookups.removeValue(forKey: host), let owner = lookup.owner else {
                return ([], [])
            }
            let left = (state.held[owner] ?? 1) - 1
            state.held[owner] = left > 0 ? left : nil
            state.underWay -= 1
            return (lookup.waiters, state.queue.compactMap { begin(&state, $0) })
        }
        for waiter in waiters { waiter.continuation.resume(returning: .success(found)) }
        for question in next { look(question) }
    }

    /// Lets one go; the look-up goes on, where it has begun.
    private func leave(_ host: EgressHost, _ ticket: Int, cancelled: Bool) {
        let (waiter, failure) = state.withLock { state -> (Waiter?, Failure) in
            guard let lookup = state.lookups[host],
                let index = lookup.waiters.firstIndex(where: { $0.ticket == ticket })
            else { return (nil, .cancelled) }
            let waiter = lookup.waiters[index]
            state.lookups[host]?.waiters.remove(at: index)
            if lookup.owner == nil, lookup.waiters.count == 1 {
                state.lookups[host] = nil
                state.queue.removeAll { $0 == host }
            }
            if cancelled { return (waiter, .cancelled) }
            let isFull = state.held[waiter.session, default: 0] >= bounds.ofSession
            return (waiter, lookup.owner == nil ? .crowded(ofSession: isFull) : .slow)
        }
        waiter?.continuation.resume(returning: .failure(failure))
    }
}
