import SessionCore
import Synchronization

/// One reader's way through a session's events: first what is on disk, in steps, then what the supervisor has in memory,
/// then what happens. Nothing is left out, repeated or reordered where the two meet: the reader goes over to memory only
/// once it has all that memory does not.
final class EventReplay: Sendable {
    /// What comes next for a reader that has everything through `since`.
    enum Step: Sendable {
        case page([SessionEvent], next: UInt64)
        case live(EventMailbox)
        case over
    }

    private struct State {
        var since: UInt64
        var page: ArraySlice<SessionEvent> = []
        var live: EventMailbox?
        var isCancelled = false
    }

    private let state: Mutex<State>
    private let step: @Sendable (UInt64) async -> Step

    init(since: UInt64, step: @escaping @Sendable (UInt64) async -> Step) {
        state = Mutex(State(since: since))
        self.step = step
    }

    func stream() -> AsyncStream<SessionEvent> {
        AsyncStream(unfolding: { await self.next() }, onCancel: { self.cancel() })
    }

    private func cancel() {
        let live = state.withLock { state in
            state.isCancelled = true
            return state.live
        }
        live?.finish()
    }

    /// Called by one reader, one call at a time.
    private func next() async -> SessionEvent? {
        while true {
            let (ready, live, since, isCancelled) = state.withLock { state in
                (state.page.popFirst(), state.live, state.since, state.isCancelled)
            }
            if let ready { return ready }
            guard !isCancelled else { return nil }
            if let live {
                guard let event = await live.next() else { return nil }
                if event.seq > since || event.type == .gap { return event }
                continue
            }
            switch await step(since) {
            case .over: return nil
            case .live(let mailbox):
                let isCancelled = state.withLock { state in
                    state.live = mailbox
                    return state.isCancelled
                }
                if isCancelled { mailbox.finish() }
            case .page(let events, let next):
                state.withLock { state in
                    state.page = events[...]
                    state.since = max(next, since)
                }
            }
        }
    }
}
