import Foundation
import Policy
import SessionCore
import Testing
import WorkerControl

@testable import Supervisor

/// When spares are made, kept and dropped: what ``SparePool`` decides, without a process.
struct SparePoolTests {
    private static let now = MonotonicTime(seconds: 100_000)
    private static let mine = SparePool.Key(tenantID: 1, policy: "warm")
    private static let other = SparePool.Key(tenantID: 2, policy: "warm")

    private static func spare(_ key: SparePool.Key, age: Double) -> Spare {
        let id = SessionID()
        let request = LaunchRequest(
            sessionID: id, incarnation: 1, uidSlot: 7, rules: .standard, startCommand: "/bin/true", claudeBinary: nil,
            environment: [:], managedSettings: nil, size: .standard, firstSequence: 3, gatewaySocket: "/g",
            logBytes: 1 << 20)
        return Spare(
            id: id, key: key, uidSlot: 7, ground: SpareGround(request: request, programs: [], image: nil),
            launched: LaunchedSession(workerPID: 1, sandboxPID: 1, limits: [], cgroups: [:]), madeAt: now + -age)
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        /// Ages of spares that there are.
        var ages: [Double] = []
        /// Seconds since the tenant's last session; nil: it never had one.
        var used: Double? = 1
        var rules: SpareRules? = SpareRules(count: 2, age: .minutes(10), linger: .minutes(30))
        var fits = true
        var changes = false
        var memory = HostMemory.Standing.ample
        /// Seconds since making one failed, that many times in a row.
        var failures: [Double] = []
        var drops: [SparePool.Drop] = []
        var makes = false

        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "one is missing", ages: [5], makes: true),
        Case(name: "all are there", ages: [5, 9]),
        Case(name: "nobody asked", used: nil),
        Case(name: "the tenant asked too long ago", used: 1801),
        Case(name: "the tenant asked just soon enough", used: 1800, makes: true),
        Case(name: "what nobody asks for any more goes", ages: [5, 9], used: 1801, drops: [.unused, .unused]),
        Case(name: "old ones go and are replaced", ages: [5, 601], drops: [.aged], makes: true),
        Case(name: "one that is just not too old stays", ages: [5, 600]),
        Case(name: "the policy is gone", ages: [5], rules: nil, drops: [.policy]),
        Case(name: "the policy has none any more", ages: [5], rules: SpareRules(count: 0), drops: [.policy]),
        Case(
            name: "of too many the oldest go", ages: [5, 9, 7], rules: SpareRules(count: 1),
            drops: [.surplus, .surplus]),
        Case(
            name: "what changed goes and is made anew", ages: [5, 9], changes: true, drops: [.changed, .changed],
            makes: true),
        Case(name: "a full box makes none and keeps what it has", ages: [5], fits: false),
        Case(name: "little memory makes none and keeps what it has", ages: [5], memory: .tight),
        Case(name: "no memory drops what there is", ages: [5, 9], memory: .short, drops: [.memory, .memory]),
        Case(name: "a failure is not tried again at once", failures: [59]),
        Case(name: "it is tried again after a minute", failures: [60], makes: true),
        Case(name: "and after two when it failed again", failures: [200, 119]),
        Case(name: "and then it is tried", failures: [200, 120], makes: true),
    ]

    @Test(arguments: cases) func decides(_ one: Case) {
        var pool = SparePool()
        let spares = one.ages.map { Self.spare(Self.mine, age: $0) }
        for spare in spares { pool.add(spare) }
        if let used = one.used { pool.used(Self.mine, at: Self.now + -used) }
        for ago in one.failures { pool.failed(Self.mine, "no", at: Self.now + -ago) }
        var facts = SparePool.Facts(now: Self.now, rules: [:], memory: one.memory)
        facts.rules[Self.mine] = one.rules.map { SparePool.Facts.Rules(spares: $0, fits: one.fits) }
        if one.changes { facts.changed = Set(spares.map(\.id)) }
        let plan = pool.plan(facts)
        #expect(plan.drops.map(\.why) == one.drops)
        #expect(plan.make == (one.makes ? Self.mine : nil))
        if one.drops == [.surplus, .surplus] { #expect(!plan.drops.map(\.id).contains(spares[0].id)) }
    }

    @Test func failuresAreTriedLessAndLessOftenUntilASessionHasOne() {
        var pool = SparePool()
        var time = Self.now
        var pauses: [Double] = []
        for _ in 1...8 {
            pool.failed(Self.mine, "no", at: time)
            let until = pool.faults[Self.mine]?.until ?? time
            pauses.append(until.since(time))
            time = until
        }
        #expect(pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600])
        pool.claimed(Self.mine)
        #expect(pool.faults.isEmpty)
    }

    @Test func whoAskedLastIsServedFirstAndWhoAskedFirstGivesWay() {
        var pool = SparePool()
        let rules = SpareRules(count: 1)
        pool.used(Self.mine, at: Self.now + -20)
        pool.used(Self.other, at: Self.now + -10)
        var facts = SparePool.Facts(now: Self.now, rules: [:])
        facts.rules = [Self.mine: .init(spares: rules), Self.other: .init(spares: rules)]
        #expect(pool.plan(facts).make == Self.other)
        let (old, new) = (Self.spare(Self.other, age: 500), Self.spare(Self.mine, age: 5))
        pool.add(old)
        pool.add(new)
        #expect(pool.yielding == new.id)
        #expect(pool.take(new.id)?.id == new.id)
        #expect(pool.take(new.id) == nil)
        #expect(pool.yielding == old.id)
    }

    @Test func theBoxAsAWholeHasABound() {
        var pool = SparePool()
        var facts = SparePool.Facts(now: Self.now, rules: [:])
        for tenant in 1...40 {
            let key = SparePool.Key(tenantID: Int64(tenant), policy: "warm")
            pool.used(key, at: Self.now)
            facts.rules[key] = .init(spares: SpareRules(count: 1))
        }
        while let key = pool.plan(facts).make { pool.add(Self.spare(key, age: 1)) }
        #expect(pool.spares.count == SparePool.most)
    }

    @Test func whatIsRememberedOfTenantsHasABound() {
        var pool = SparePool()
        for tenant in 1...(SparePool.mostKeys + 50) {
            pool.used(SparePool.Key(tenantID: Int64(tenant), policy: "warm"), at: Self.now + Double(tenant))
        }
        #expect(pool.uses.count == SparePool.mostKeys)
        #expect(pool.uses[SparePool.Key(tenantID: 1, policy: "warm")] == nil)
    }

    @Test(
        arguments: [
            (1_000_000, HostMemory.Standing.ample), (600_000, .tight), (200_000, .short),
        ]) func memoryIsWhatTheKernelSays(available: Int, standing: HostMemory.Standing) throws
    {
        let text = "MemTotal:        2000000 kB\nMemFree:  1 kB\nMemAvailable:    \(available) kB\n"
        #expect(try #require(HostMemory(parsing: text)).standing == standing)
        #expect(HostMemory(parsing: "MemTotal: 5 kB\n") == nil)
    }
}
