import Foundation
import Synchronization

/// Lets messages through to the model API as ``FairShare`` says; the others wait here.
final class Turnstile: Sendable {
    private struct State {
        var share: FairShare
        var waiting: [FairShare.Ticket: CheckedContinuation<Bool, Never>] = [:]
        /// When the rate will let somebody go, and somebody looks.
        var looksAt: FairShare.Time?
    }

    private let state: Mutex<State>
    private let patience: Duration

    init(_ limits: SharingLimits) {
        state = Mutex(State(share: FairShare(limits)))
        patience = limits.patience
    }

    /// Running now, and waiting.
    var counts: (running: Int, waiting: Int) { state.withLock { ($0.share.running, $0.share.waiting) } }

    /// Returns when it is the caller's turn. Whoever came in calls ``leave(_:)`` when done.
    /// - Throws: ``Refusal`` when that takes too long; `CancellationError`.
    func enter(_ tenant: Int64, _ session: UUID) async throws -> FairShare.Ticket {
        let now = GatewayClock.now
        let (ticket, mayGo) = state.withLock { state -> (FairShare.Ticket?, Bool) in
            guard let ticket = state.share.arrive(tenant, session, at: now) else { return (nil, false) }
            return (ticket, release(&state, at: now, arrived: ticket))
        }
        guard let ticket else { throw Refusal.crowded }
        if mayGo { return ticket }
        let timer = Task {
            try await Task.sleep(for: patience)
            give(up: ticket)
        }
        defer { timer.cancel() }
        let wentIn = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    // It may have been let in, or have given up, before it could wait.
                    if state.share.isRunning(ticket) { return true }
                    guard state.share.isWaiting(ticket) else { return false }
                    state.waiting[ticket] = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            give(up: ticket)
        }
        if Task.isCancelled {
            leave(ticket)
            throw CancellationError()
        }
        guard wentIn else { throw Refusal.crowded }
        return ticket
    }

    func leave(_ ticket: FairShare.Ticket) {
        state.withLock { state in
            state.share.leave(ticket)
            _ = release(&state, at: GatewayClock.now)
        }
    }

    /// Only one that still waits.
    private func give(up ticket: FairShare.Ticket) {
        let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard state.share.isWaiting(ticket) else { return nil }
            state.share.leave(ticket)
            return state.waiting.removeValue(forKey: ticket)
        }
        waiter?.resume(returning: false)
    }

    /// - Returns: whether the one that has just come is among those that go.
    private func release(_ state: inout State, at now: FairShare.Time, arrived: FairShare.Ticket? = nil) -> Bool {
        var isIn = false
        for ticket in state.share.admit(at: now) {
            if ticket == arrived { isIn = true }
            // Resuming only makes a task ready: it runs when the lock is free.
            state.waiting.removeValue(forKey: ticket)?.resume(returning: true)
        }
        if let wait = state.share.wait(at: now), state.looksAt.map({ $0 > now + wait }) ?? true {
            state.looksAt = now + wait
            Task { [weak self] in
                try? await Task.sleep(for: .seconds(wait))
                self?.look()
            }
        }
        return isIn
    }

    private func look() {
        state.withLock { state in
            state.looksAt = nil
            _ = release(&state, at: GatewayClock.now)
        }
    }
}
