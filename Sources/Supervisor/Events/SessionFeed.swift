import Registry
import SessionCore

/// One session's recent events, across incarnations, and who reads them. Belongs to the supervisor's actor.
final class SessionFeed {
    static let capacity = 2000
    /// What a session that does not run keeps.
    static let capacityAtRest = 200
    /// Bytes, about: messages are long, and the journal has them too.
    static let byteCapacity = 4 << 20

    private(set) var events: [SessionEvent] = []
    private var bytes = 0
    /// The highest number seen.
    private(set) var lastSequence: UInt64 = 0
    /// The last event that was dropped to make room.
    private var dropped: SessionEvent?
    /// The highest number through which something is missing here.
    private var missingThrough: UInt64 = 0
    /// The last that the registry knows is a worker, of which nothing was heard yet.
    private var isBehind = false
    private var readers: [Reader] = []

    /// Everything above this number is here; what is older is in the session's journal.
    var floor: UInt64 { max(dropped?.seq ?? 0, missingThrough) }

    private struct Reader {
        /// The stream holds the mailbox; a reader that went away is found by this being nil.
        weak var mailbox: EventMailbox?
        /// What it has already, wherever it had it from.
        var since: UInt64
    }

    init() {}

    /// What the registry knows of a session whose events were not kept: its transitions, with a `gap` where its
    /// worker's events were.
    init(_ transitions: [TransitionRecord]) {
        var lastOfWorker = false
        // The history that is read is bounded, and after a recovery shorter than the session's.
        if let first = transitions.lazy.compactMap(\.seq).first { missingThrough = first - 1 }
        for transition in transitions {
            guard let seq = transition.seq, let event = SessionEvent(transition, seq: seq) else {
                lastOfWorker = true
                continue
            }
            if (lastOfWorker || transition.from?.hasIncarnation == true), seq - 1 > lastSequence {
                append(event.gap(through: seq - 1))
            }
            lastOfWorker = false
            append(event)
        }
        isBehind = transitions.last?.to.hasIncarnation ?? false
    }

    /// From here on its worker tells everything.
    func listens() { isBehind = false }

    /// Appends an event and tells the readers. One that came before is ignored: after a reconnection a worker
    /// repeats some.
    /// - Returns: whether it was new.
    @discardableResult
    func append(_ event: SessionEvent) -> Bool {
        guard event.seq > lastSequence else { return false }
        if isBehind {
            // The supervisor's own: the worker is gone, and what it told is in the journal.
            isBehind = false
            append(event.gap(through: event.seq - 1))
        }
        lastSequence = event.seq
        if event.type == .gap { missingThrough = event.seq }
        events.append(event)
        bytes += event.data.textSize + 256
        // A quarter at a time, so that a full ring does not move on every event.
        if events.count > Self.capacity + Self.capacity / 4 { trim(to: Self.capacity) }
        if bytes > Self.byteCapacity { trim(to: events.count * 3 / 4) }
        readers.removeAll { $0.mailbox == nil }
        for reader in readers where event.seq > reader.since { reader.mailbox?.post(event) }
        return true
    }

    func trim(to count: Int) {
        guard events.count > count else { return }
        dropped = events[events.count - count - 1]
        bytes -= events.prefix(events.count - count).reduce(0) { $0 + $1.data.textSize + 256 }
        events.removeFirst(events.count - count)
    }

    /// Events above `since`, then live ones; nil: live ones only.
    func subscribe(since: UInt64?) -> EventMailbox {
        let mailbox = EventMailbox()
        if let since {
            if let dropped, since < dropped.seq { mailbox.post(dropped.gap(through: dropped.seq)) }
            for event in events where event.seq > since { mailbox.post(event) }
        }
        readers.append(Reader(mailbox: mailbox, since: since ?? 0))
        return mailbox
    }

    /// The session is gone: readers get what is queued, then the end.
    func finish() {
        for reader in readers { reader.mailbox?.finish() }
        readers = []
    }
}

extension SessionEvent {
    /// The event that tells of a transition; nil for one that has none.
    init?(_ transition: TransitionRecord, seq: UInt64) {
        var data: [String: JSONValue] = ["lifecycle": .string(transition.to.rawValue), "by": .string(transition.actor)]
        if let reason = transition.reason { data["reason"] = .string(reason.rawValue) }
        if let detail = transition.detail { data["detail"] = .string(detail) }
        self.init(
            seq: seq, time: transition.time, sessionID: transition.sessionID, incarnation: transition.incarnation,
            type: transition.to.event, data: .object(data))
    }
}

extension Lifecycle {
    /// The event that says a session came into this state. `queued` is where every session is born.
    var event: EventType {
        switch self {
        case .queued: .sessionCreated
        case .starting: .sessionStarting
        case .running: .sessionRunning
        case .parking: .sessionParking
        case .parked: .sessionParked
        case .stopping: .sessionStopping
        case .stopped: .sessionStopped
        case .failed: .sessionFailed
        case .deleted: .sessionDeleted
        }
    }
}
