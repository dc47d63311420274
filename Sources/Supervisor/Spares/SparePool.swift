import Policy
import SessionCore

/// Which spares there are, who uses them, and what is to be made or dropped. Pure: it decides, ``SessionSupervisor`` does.
struct SparePool {
    /// Whose spares: one tenant's, under one policy. No other tenant's session is ever given one of them.
    struct Key: Hashable, Sendable, Comparable {
        var tenantID: Int64
        var policy: String

        static func < (left: Key, right: Key) -> Bool {
            (left.tenantID, left.policy) < (right.tenantID, right.policy)
        }
    }

    /// Why a spare goes without ever having been a session's.
    enum Drop: String, Sendable, CaseIterable {
        /// The policy has none any more, or is gone.
        case policy
        /// A session would be started otherwise now: policy, rules, image, start command or Claude Code are others.
        case changed
        case aged
        /// The tenant has not asked for one in a long time.
        case unused
        /// There are more than the policy says.
        case surplus
        /// The host is short of memory.
        case memory
        /// A session needed its place.
        case yielded
        /// Its worker is gone.
        case lost
        /// The session that took it could not be made.
        case failed
        case shutdown
    }

    /// What the decision goes by, beside what the pool knows.
    struct Facts {
        struct Rules {
            var spares: SpareRules
            /// There is room for one, and for a session beside it.
            var fits = true
        }

        var now: MonotonicTime
        /// Of each key that has spares or asked for some; without rules it is to have none.
        var rules: [Key: Rules]
        /// Spares that are not what a session would be started as.
        var changed: Set<SessionID> = []
        var memory = HostMemory.Standing.ample
    }

    struct Plan: Equatable {
        var drops: [Dropping] = []
        /// The next one to make.
        var make: Key?

        struct Dropping: Equatable {
            var id: SessionID
            var why: Drop
        }
    }

    /// All spares of the box together.
    static let most = 32
    /// Tenants and policies whose last use is remembered.
    static let mostKeys = 1024
    static let firstPause: Double = 60
    static let longestPause: Double = 3600

    private(set) var spares: [SessionID: Spare] = [:]
    /// When a session was last made that could have had a spare.
    private(set) var uses: [Key: MonotonicTime] = [:]
    private(set) var faults: [Key: Fault] = [:]
    private(set) var counts = Counts()

    /// Why the last one could not be made, or had. It stands until a session has one.
    struct Fault: Equatable {
        var detail: String
        /// In a row.
        var count: Int
        /// Not tried again before.
        var until: MonotonicTime
    }

    struct Counts: Equatable {
        var made = 0
        var claimed = 0
        /// Sessions that could have had one and began cold: none was there, none fit, or it was not to be had.
        var missed = 0
        var dropped: [Drop: Int] = [:]
    }

    // MARK: What happens

    /// A session is made that could have a spare.
    mutating func used(_ key: Key, at now: MonotonicTime) {
        uses[key] = now
        guard uses.count > Self.mostKeys, let oldest = uses.min(by: { $0.value < $1.value }) else { return }
        uses[oldest.key] = nil
    }

    mutating func add(_ spare: Spare) {
        spares[spare.id] = spare
        counts.made += 1
    }

    /// Takes a spare out for a session, once.
    mutating func take(_ id: SessionID) -> Spare? { spares.removeValue(forKey: id) }

    mutating func noteDrop(_ why: Drop) { counts.dropped[why, default: 0] += 1 }

    mutating func claimed(_ key: Key) {
        counts.claimed += 1
        faults[key] = nil
    }

    mutating func missed() { counts.missed += 1 }

    /// One could not be made, or could not be had. It is tried again later, and later still each time.
    mutating func failed(_ key: Key, _ detail: String, at now: MonotonicTime) {
        let count = (faults[key]?.count ?? 0) + 1
        let pause = min(Self.firstPause * Double(1 << min(count - 1, 10)), Self.longestPause)
        faults[key] = Fault(detail: detail, count: count, until: now + pause)
    }

    /// What was wrong may have been put right: policies were read again.
    mutating func forgive() { faults = [:] }

    // MARK: What to do

    /// Those of a key, the oldest first.
    func spares(of key: Key) -> [Spare] {
        spares.values.filter { $0.key == key }.sorted {
            ($0.madeAt, $0.id.description) < ($1.madeAt, $1.id.description)
        }
    }

    /// The one that goes first when a session needs its place: of those who asked longest ago, the oldest.
    var yielding: SessionID? {
        spares.values.min {
            (uses[$0.key] ?? .distantPast, $0.madeAt) < (uses[$1.key] ?? .distantPast, $1.madeAt)
        }?.id
    }

    func plan(_ facts: Facts) -> Plan {
        var plan = Plan()
        var left: [Key: Int] = [:]
        for spare in spares.values.sorted(by: { ($0.key, $1.madeAt) < ($1.key, $0.madeAt) }) {
            if let why = reason(toDrop: spare, facts, beside: left[spare.key] ?? 0) {
                plan.drops.append(Plan.Dropping(id: spare.id, why: why))
            } else {
                left[spare.key, default: 0] += 1
            }
        }
        guard facts.memory == .ample, left.values.reduce(0, +) < Self.most else { return plan }
        let wanting = facts.rules.filter { key, rules in
            rules.fits && (left[key] ?? 0) < rules.spares.count && isUsed(key, rules.spares, facts.now)
                && (faults[key].map { $0.until <= facts.now } ?? true)
        }
        // Who asked last is served first.
        plan.make =
            wanting.keys.max {
                (uses[$0] ?? .distantPast, $1) < (uses[$1] ?? .distantPast, $0)
            }
        return plan
    }

    private func isUsed(_ key: Key, _ rules: SpareRules, _ now: MonotonicTime) -> Bool {
        uses[key].map { now.since($0) <= rules.linger.seconds } ?? false
    }

    /// - Parameter beside: newer ones of the same key that stay.
    private func reason(toDrop spare: Spare, _ facts: Facts, beside: Int) -> Drop? {
        guard let rules = facts.rules[spare.key]?.spares, rules.count > 0 else { return .policy }
        if facts.changed.contains(spare.id) { return .changed }
        if facts.now.since(spare.madeAt) > rules.age.seconds { return .aged }
        if !isUsed(spare.key, rules, facts.now) { return .unused }
        if facts.memory == .short { return .memory }
        return beside >= rules.count ? .surplus : nil
    }
}
