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
    /// The last event the reader has taken.
    private var taken: UInt64
    private var losing = false
    private let limit: Int

    init(limit: Int, since: UInt64 = 0) {
        self.limit = limit
        self.taken = since
    }

    /// A new subscription starts above `since`: that is what a loss before the first event refers to.
    mutating func subscribed(since: UInt64) {
        taken = since
        losing = false
    }

    mutating func append(_ notice: WorkerNotice) {
        if case .event = notice {
            guard !losing else { return }
            if notices.count - head >= limit {
                let rest = notices[head...].filter { if case .event = $0 { false } else { true } }
                notices = [.lost(after: taken)] + rest
                head = 0
                losing = true
                return
            }
        }
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
        switch notice {
        case .event(let event): taken = max(taken, event.seq)
        case .lost: losing = false
        case .ended, .disconnected: break
        }
        return notice
    }
}
