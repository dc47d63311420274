public import SessionCore

/// What a worker tells without being asked, in the order it happened.
public enum WorkerNotice: Sendable {
    /// An event of the session, after `subscribe`.
    case event(SessionEvent)
    /// The reader was too slow: events above `after` were thrown away. Send `subscribe(since: after)` again to
    /// have them replayed; events may then come twice, `seq` tells.
    case lost(after: UInt64)
    /// The session's command and its sandbox are gone.
    case ended(WorkerEnd)
    /// The last notice of every connection.
    case disconnected(String)
}

/// Notices that wait for their reader: bounded for events, never losing an `ended` or a `disconnected`.
struct NoticeQueue {
    private var notices: [WorkerNotice] = []
    private var head = 0
    /// The last event that is queued, or was.
    private var last: UInt64
    /// Events are thrown away: from a loss until the worker has taken up the next subscription. What comes in between is
    /// above what will be replayed, and would hide it.
    private var losing = false
    private let limit: Int

    init(limit: Int, since: UInt64 = 0) {
        self.limit = limit
        self.last = since
    }

    /// A new subscription is asked for, above `since`: that is what a loss before the first event refers to.
    mutating func subscribing(since: UInt64) {
        last = since
        losing = true
    }

    /// The worker has taken it up: what comes now is its replay.
    mutating func subscribed() { losing = false }

    mutating func append(_ notice: WorkerNotice) {
        guard case .event(let event) = notice else { return notices.append(notice) }
        guard !losing else { return }
        guard notices.count - head < limit else {
            // What is queued stays, so that a reader that is slow comes forward all the same.
            losing = true
            return notices.append(.lost(after: last))
        }
        last = max(last, event.seq)
        notices.append(notice)
    }

    mutating func next() -> WorkerNotice? {
        guard head < notices.count else { return nil }
        let notice = notices[head]
        head += 1
        if head == notices.count {
            notices.removeAll(keepingCapacity: notices.count < 1024)
            head = 0
        } else if head > 1024 {
            notices.removeFirst(head)
            head = 0
        }
        return notice
    }
}
