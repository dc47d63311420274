import Foundation

/// How much of the model API is used at once, and how fast.
public struct SharingLimits: Sendable, Hashable {
    /// Messages that are asked at the same time, over all tenants.
    public var concurrent: Int
    /// The same of one tenant.
    public var perTenant: Int
    /// Messages that one tenant may begin in a minute; nil: as many as it wants.
    public var perMinute: Int?
    /// Messages of one tenant that may wait for their turn.
    public var waiting: Int
    /// How long one waits.
    public var patience: Duration

    public init(
        concurrent: Int = 256, perTenant: Int = 256, perMinute: Int? = nil, waiting: Int = 1024,
        patience: Duration = .seconds(60)
    ) {
        self.concurrent = concurrent
        self.perTenant = perTenant
        self.perMinute = perMinute
        self.waiting = waiting
        self.patience = patience
    }
}

/// Whose turn it is: a pure function of who came, who went, and the time.
///
/// A place goes to the tenant that has the fewest of those that want one, so that a tenant with a thousand requests takes
/// no more from another than a tenant with ten; within a tenant to the session that has the fewest. What waits goes in
/// the order of its coming where nothing else decides.
struct FairShare {
    typealias Ticket = UInt64
    /// Seconds on a clock that never goes back.
    typealias Time = Double

    private struct Waiting {
        var ticket: Ticket
        var session: UUID
    }

    private struct Tenant {
        var running = 0
        var ofSession: [UUID: Int] = [:]
        var waiting: [Waiting] = []
        /// What may begin now, under the rate.
        var tokens = 0.0
        var filledAt = 0.0
        /// Of the one that went last: who has waited longest goes first.
        var served: Ticket = 0

        var isGone: Bool { running == 0 && waiting.isEmpty }
    }

    let limits: SharingLimits
    private var tenants: [Int64: Tenant] = [:]
    private var places: [Ticket: (tenant: Int64, session: UUID)] = [:]
    private(set) var running = 0
    private var last: Ticket = 0

    init(_ limits: SharingLimits) { self.limits = limits }

    func isWaiting(_ ticket: Ticket) -> Bool {
        places[ticket].map { tenants[$0.tenant]?.waiting.contains { $0.ticket == ticket } ?? false } ?? false
    }

    func isRunning(_ ticket: Ticket) -> Bool { places[ticket] != nil && !isWaiting(ticket) }

    var waiting: Int { tenants.values.reduce(0) { $0 + $1.waiting.count } }

    /// Somebody wants to ask.
    /// - Returns: nil when too many of the tenant's wait already.
    mutating func arrive(_ tenant: Int64, _ session: UUID, at now: Time) -> Ticket? {
        forgetIdle(at: now)
        var known = tenants[tenant] ?? Tenant(tokens: Double(limits.perMinute ?? 0), filledAt: now)
        guard known.waiting.count < limits.waiting else { return nil }
        last += 1
        known.waiting.append(Waiting(ticket: last, session: session))
        tenants[tenant] = known
        places[last] = (tenant, session)
        return last
    }

    /// Somebody has what it wanted, or does not want it any more.
    mutating func leave(_ ticket: Ticket) {
        guard let (name, session) = places.removeValue(forKey: ticket), var tenant = tenants[name] else { return }
        if let index = tenant.waiting.firstIndex(where: { $0.ticket == ticket }) {
            tenant.waiting.remove(at: index)
        } else {
            tenant.running -= 1
            running -= 1
            let left = (tenant.ofSession[session] ?? 1) - 1
            tenant.ofSession[session] = left > 0 ? left : nil
        }
        tenants[name] = tenant
    }

    /// Those whose turn it is now; they are running when this returns.
    mutating func admit(at now: Time) -> [Ticket] {
        var admitted: [Ticket] = []
        for name in tenants.keys { fill(name, at: now) }
        while running < limits.concurrent, let name = next(), var tenant = tenants[name] {
            let index = tenant.waiting.indices.min { first, second in
                let counts = [first, second].map { tenant.ofSession[tenant.waiting[$0].session] ?? 0 }
                return counts[0] == counts[1] ? first < second : counts[0] < counts[1]
            }
            guard let index else { break }
            let gone = tenant.waiting.remove(at: index)
            tenant.running += 1
            tenant.ofSession[gone.session, default: 0] += 1
            if limits.perMinute != nil { tenant.tokens -= 1 }
            last += 1
            tenant.served = last
            tenants[name] = tenant
            running += 1
            admitted.append(gone.ticket)
        }
        return admitted
    }

    /// Seconds until the rate lets somebody go who waits for nothing else; nil: nobody.
    func wait(at now: Time) -> Double? {
        guard let perMinute = limits.perMinute, running < limits.concurrent else { return nil }
        return tenants.values.filter { !$0.waiting.isEmpty && $0.running < limits.perTenant }
            .map { max(0, (1 - $0.tokens) * 60 / Double(perMinute) - (now - $0.filledAt)) }.min()
    }

    private func next() -> Int64? {
        let ready = tenants.filter { _, tenant in
            !tenant.waiting.isEmpty && tenant.running < limits.perTenant
                && (limits.perMinute == nil || tenant.tokens >= 1)
        }
        return ready.min { first, second in
            first.value.running == second.value.running
                ? first.value.served < second.value.served : first.value.running < second.value.running
        }?.key
    }

    private mutating func fill(_ name: Int64, at now: Time) {
        guard let perMinute = limits.perMinute, let tenant = tenants[name] else { return }
        // A minute's worth at once at most.
        tenants[name]?.tokens = min(
            Double(perMinute), tenant.tokens + max(0, now - tenant.filledAt) * Double(perMinute) / 60)
        tenants[name]?.filledAt = now
    }

    /// Who has nothing going on and all that the rate gives is as good as new.
    private mutating func forgetIdle(at now: Time) {
        guard tenants.count >= 256 else { return }
        tenants = tenants.filter { !$0.value.isGone || (limits.perMinute != nil && now - $0.value.filledAt < 60) }
    }
}
