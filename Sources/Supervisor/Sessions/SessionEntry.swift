import Foundation
import Registry
import SessionCore
import WorkerControl

/// What the supervisor holds in memory of one session. Belongs to the supervisor's actor.
final class SessionEntry {
    let id: SessionID
    /// Held for every operation that changes the session's state.
    let lock = OperationLock()
    let feed: SessionFeed
    private let workers: WorkerRoster
    /// The registry's record as of the last change.
    var record: SessionRecord

    // While an incarnation lives
    var connection: WorkerConnection?
    var worker: ProcessIdentity? {
        didSet { workers.set(worker?.pid, for: id) }
    }
    /// Says when the worker's process is gone.
    var watch: ProcessWatch?
    /// It is gone; what it said last may still be on its way.
    var hasExited = false
    /// The pause between two attempts to reach a worker that lives and does not answer.
    var pause: Task<Void, Never>?
    /// Reads the worker's notices.
    var pump: Task<Void, Never>?
    var status: WorkerStatus?
    /// Which build its worker is.
    var program: ProgramIdentity?
    /// The status's times by the clock that decides.
    var times: WorkerTimes?
    var statusAt = MonotonicTime.distantPast
    var startedAt = MonotonicTime.distantPast
    /// Running, and its worker did not answer.
    var unresponsive = false
    /// Set when the incarnation is over, until that is written down.
    var end: IncarnationEnd?
    var endWaiters: [UUID: CheckedContinuation<Void, Never>] = [:]
    /// OOM kills that were told, and when the last was.
    var oomKills = 0
    var oomToldAt = MonotonicTime.distantPast
    /// Above its high-water mark, and told so.
    var isHigh = false
    /// Its worker cannot freeze it.
    var cannotFreeze = false

    /// The budget that was used up while it ran: its turn may end, and then it is parked.
    var spentBudget: BudgetStanding? {
        didSet { if spentBudget == nil { turnIsOver = false } }
    }
    /// The turn that it was in then has ended.
    var turnIsOver = false

    // The reaper's
    /// The deadline that was warned of.
    var warnedOf: IdleRule.Deadline?
    var reaping = false
    /// When it was last started anew for its memory.
    var recycledAt = MonotonicTime.distantPast
    /// Incarnations in a row that ended right after their start.
    var quickEnds = 0
    /// Its starts by the supervisor in a row, after crashes.
    var restarts = RestartCount()
    /// Its worker is making way for a newer one.
    var isRenewing = false
    /// Why that did not succeed.
    var renewalFault: String?
    /// What its last incarnation left could not be cleaned away.
    var isDirty = false

    init(_ record: SessionRecord, feed: SessionFeed, workers: WorkerRoster) {
        id = record.id
        self.workers = workers
        self.record = record
        self.feed = feed
    }

    /// Above every number that was used.
    var lastSequence: UInt64 { max(record.lastSequence, feed.lastSequence, status?.lastSequence ?? 0) }

    /// The incarnation is over; whoever waits for that goes on.
    func ended(_ end: IncarnationEnd) {
        guard self.end == nil else { return }
        self.end = end
        let waiters = endWaiters.values
        endWaiters = [:]
        for waiter in waiters { waiter.resume() }
    }

    /// Forgets the incarnation.
    func reset() {
        pump?.cancel()
        pump = nil
        connection = nil
        worker = nil
        watch?.cancel()
        watch = nil
        hasExited = false
        pause?.cancel()
        pause = nil
        status = nil
        program = nil
        times = nil
        unresponsive = false
        end = nil
        oomKills = 0
        oomToldAt = .distantPast
        isHigh = false
        cannotFreeze = false
        warnedOf = nil
        spentBudget = nil
        feed.trim(to: SessionFeed.capacityAtRest)
    }
}

/// How an incarnation ended.
enum IncarnationEnd: Sendable {
    /// As its worker said.
    case told(WorkerEnd)
    /// The worker is gone and said nothing.
    case lost(String)
}
