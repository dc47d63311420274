import SessionCore
import Synchronization

/// Events on their way to one reader. Bounded in number and size: a reader that falls behind loses the oldest and gets a
/// `gap` in their place, so that no reader costs more memory than its share.
final class EventMailbox: Sendable {
    static let limit = 4096
    /// Bytes of text in them.
    static let sizeLimit = 8 << 20

    private struct State {
        var events: [SessionEvent] = []
        var head = 0
        var size = 0
        var reader: CheckedContinuation<SessionEvent?, Never>?
        var finished = false
    }

    private let state = Mutex(State())
    private let limit: Int
    private let sizeLimit: Int

    init(limit: Int = EventMailbox.limit, sizeLimit: Int = EventMailbox.sizeLimit) {
        self.limit = limit
        self.sizeLimit = sizeLimit
    }

    /// The reader's view. It ends when the mailbox is finished and empty, or its task is cancelled.
    func stream() -> AsyncStream<SessionEvent> {
        AsyncStream(unfolding: { await self.next() }, onCancel: { self.finish() })
    }

    func post(_ event: SessionEvent) {
        let reader: CheckedContinuation<SessionEvent?, Never>? = state.withLock { state in
            guard !state.finished else { return nil }
            if let reader = state.reader {
                state.reader = nil
                return reader
            }
            let size = event.data.textSize
            if state.events.count - state.head >= limit || state.size + size > sizeLimit,
                let last = state.events.last
            {
                state.events = [last.gap(through: last.seq)]
                state.head = 0
                state.size = 0
            }
            state.events.append(event)
            state.size += size
            return nil
        }
        reader?.resume(returning: event)
    }

    /// What is queued is still delivered.
    func finish() {
        let reader = state.withLock { state in
            state.finished = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    func next() async -> SessionEvent? {
        await withCheckedContinuation { continuation in
            let event: SessionEvent?? = state.withLock { state in
                if state.head < state.events.count {
                    let event = state.events[state.head]
                    state.head += 1
                    state.size = max(0, state.size - event.data.textSize)
                    if state.head == state.events.count {
                        state.events.removeAll(keepingCapacity: true)
                        state.head = 0
                    }
                    return .some(event)
                }
                guard !state.finished, state.reader == nil else { return .some(nil) }
                state.reader = continuation
                return nil
            }
            if let event { continuation.resume(returning: event) }
        }
    }
}

extension JSONValue {
    /// Bytes of all strings and names in it: what an event costs, more or less.
    var textSize: Int {
        switch self {
        case .string(let text): text.utf8.count
        case .array(let values): values.reduce(0) { $0 + $1.textSize }
        case .object(let members): members.reduce(0) { $0 + $1.key.utf8.count + $1.value.textSize }
        default: 8
        }
    }
}

extension SessionEvent {
    /// Says in this event's place in the log that events up to `seq` are not to be had.
    func gap(through seq: UInt64) -> SessionEvent {
        SessionEvent(
            seq: seq, time: time, sessionID: sessionID, incarnation: incarnation, type: .gap,
            data: ["through": .integer(Int64(clamping: seq))])
    }
}
