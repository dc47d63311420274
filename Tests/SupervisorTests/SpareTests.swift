import Foundation
import Policy
import Registry
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

/// Spares, with a real registry and scripted workers.
struct SpareTests {
    private static func settings(count: Int = 1, maxSessions: Int = 8) -> Box.Settings {
        var settings = Box.Settings()
        settings.maxSessions = maxSessions
        settings.policy.spares = SpareRules(count: count)
        return settings
    }

    private static let structured = SessionCreation(kind: .structured)

    @Test func aSessionHasTheSpareThatWasMadeForItsTenant() async throws {
        try await Box.with(Self.settings()) { box in
            let first = try await box.create(Self.structured)
            let spare = try await box.spares()[0]
            let launch = try #require(box.launcher.state.withLock { $0.launches.last })
            #expect(launch.isSpare == true)
            #expect(launch.sessionID == spare.id)
            #expect(launch.arguments?.last == "--await-claim")

            let second = try await box.create(Self.structured)
            #expect(second == spare.id)
            #expect(box.launcher.state.withLock { $0.launches.count } == 2)
            let record = try await box.record(second)
            #expect(record.lifecycle == .running)
            #expect(record.uidSlot == spare.uidSlot)
            #expect(record.uidSlot != (try await box.record(first)).uidSlot)
            #expect(try box.worker(second).state.withLock { $0.claims } == ["default"])
            #expect(try await box.registry.spares() == [])
            let types = try box.worker(second).state.withLock { $0.events.map(\.type) }
            #expect(types == (try box.worker(first).state.withLock { $0.events.map(\.type) }))
            // Once a session's, it is never in the pool again.
            try await box.supervisor.delete(second, keepWorkspace: false, by: box.alice)
            #expect(await box.supervisor.pool.spares.isEmpty)
            let report = await box.supervisor.spareReport()
            #expect(report.claimed == 1 && report.missed == 1 && report.made == 1)
        }
    }

    @Test func noOtherTenantHasIt() async throws {
        try await Box.with(Self.settings()) { box in
            let bob = try await box.someone("bob", in: "others")
            try await box.create(Self.structured)
            let spare = try await box.spares()[0]
            let foreign = try await box.create(Self.structured, by: bob)
            #expect(foreign != spare.id)
            #expect(await box.supervisor.pool.spares[spare.id] != nil)
            // The registry refuses it too.
            var record = try await box.supervisor.session(foreign, as: bob).record
            record.id = spare.id
            let stolen = record
            await #expect(throws: RegistryError.self) {
                _ = try await box.registry.insert(stolen, idempotency: nil, actor: "bob", takesSpare: true)
            }
            let keys = Set(try await box.spares(2).map(\.key.tenantID))
            #expect(keys == [box.alice.tenantID, bob.tenantID])
        }
    }

    @Test(
        "what is not as the spares are starts cold",
        arguments: [
            SessionCreation(kind: .terminal), SessionCreation(kind: .structured, env: ["A": "b"]),
            SessionCreation(kind: .structured, size: TerminalSize(cols: 100, rows: 30)),
            SessionCreation(kind: .structured, model: "opus"),
            SessionCreation(kind: .structured, permissionMode: "plan"),
            SessionCreation(kind: .structured, labels: ["claude-socket": "x"]),
            SessionCreation(id: SessionID(), kind: .structured),
        ]) func startsCold(_ creation: SessionCreation) async throws
    {
        try await Box.with(Self.settings()) { box in
            try await box.create(Self.structured)
            let spare = try await box.spares()[0]
            let id = try await box.create(creation)
            #expect(id != spare.id)
            #expect(await box.supervisor.pool.spares[spare.id] != nil)
        }
    }

    @Test func whatACallerMayChangeWithoutAnotherStartStillHasOne() async throws {
        try await Box.with(Self.settings()) { box in
            try await box.create(Self.structured)
            let spare = try await box.spares()[0]
            let id = try await box.create(
                SessionCreation(
                    name: "mine", kind: .structured, labels: ["a": "b"], idleTimeout: .hours(1), prompt: "hello"))
            #expect(id == spare.id)
            #expect(try await box.record(id).name == "mine")
            #expect(try box.worker(id).inputs == ["hello"])
        }
    }

    @Test func aSpareThatRefusesIsRemovedAndTheSessionStartsColdUnderItsId() async throws {
        try await Box.with(Self.settings()) { box in
            box.launcher.state.withLock { $0.refusesClaim = "not_claimed" }
            try await box.create(Self.structured)
            let spare = try await box.spares()[0]
            let id = try await box.create(Self.structured)
            #expect(id == spare.id)
            #expect(try await box.record(id).lifecycle == .running)
            let launches = box.launcher.state.withLock { $0.launches }
            #expect(launches.count == 3)
            #expect(launches.last?.isSpare == nil)
            #expect(launches.last?.arguments?.contains("--await-claim") == false)
            #expect(box.launcher.state.withLock { $0.cleaned.contains(id) && $0.removed.map(\.sessionID) == [id] })
            let pool = await box.supervisor.spareReport().pools.first
            #expect(pool?.fault?.contains("not_claimed") == true)
            // None is made in vain for a while.
            await box.supervisor.tendSpares()
            #expect(await box.supervisor.pool.spares.isEmpty)
        }
    }

    @Test func aClaudeCodeThatWasNotTriedHasNoSpares() async throws {
        try await Box.with(Self.settings()) { box in
            box.launcher.state.withLock { $0.cliVersion = "9.9.9" }
            try await box.create(Self.structured)
            let pool = try await eventually("a fault") {
                await box.supervisor.tendSpares()
                let pool = await box.supervisor.spareReport().pools.first
                return pool?.fault == nil ? nil : pool
            }
            #expect(await box.supervisor.pool.spares.isEmpty)
            #expect(pool.fault?.contains("9.9.9") == true && pool.fault?.contains("2.1.329") == true)
            try await eventually("nothing to be left") { try await box.registry.spares().isEmpty ? true : nil }
            let spare = try #require(box.launcher.state.withLock { $0.launches.last?.sessionID })
            #expect(box.launcher.state.withLock { $0.removed.map(\.sessionID) } == [spare])
            try await box.create(Self.structured)
        }
    }

    @Test func sparesGiveWayToSessions() async throws {
        try await Box.with(Self.settings(count: 2, maxSessions: 4)) { box in
            try await box.create(Self.structured)
            // One place stays free.
            try await box.spares(2)
            #expect(await box.supervisor.readiness().checks["capacity"] == "ok")
            for _ in 1...3 { try await box.create() }
            #expect(await box.supervisor.pool.spares.isEmpty)
            #expect(await box.supervisor.pool.counts.dropped == [.yielded: 2])
            #expect(await box.supervisor.readiness().checks["capacity"] == "full")
            #expect(await refusal { try await box.create() }?.code == .full)
        }
    }

    @Test func anOtherPolicyMakesOthers() async throws {
        try await Box.with(Self.settings()) { box in
            try await box.create(Self.structured)
            let spare = try await box.spares()[0].id
            var policy = Self.settings().policy
            policy.sandbox.limits.pids = 99
            await box.supervisor.use(PolicyStore([policy]))
            // Also before anybody has looked.
            let cold = try await box.create(Self.structured)
            #expect(cold != spare)
            try await eventually("another spare") {
                await box.supervisor.tendSpares()
                let spares = await box.supervisor.pool.spares
                return spares.count == 1 && spares[spare] == nil ? true : nil
            }
            #expect(box.launcher.state.withLock { $0.launches.last?.rules.limits.pids } == 99)
            policy.spares.count = 0
            await box.supervisor.use(PolicyStore([policy]))
            try await eventually("no spare") { () -> Bool? in
                await box.supervisor.tendSpares()
                guard await box.supervisor.pool.spares.isEmpty else { return nil }
                return try await box.registry.spares().isEmpty ? true : nil
            }
        }
    }

    @Test func oneWhoseWorkerIsGoneIsRemoved() async throws {
        try await Box.with(Self.settings()) { box in
            try await box.create(Self.structured)
            let spare = try await box.spares()[0].id
            try box.worker(spare).crash()
            try await eventually("it to be removed") {
                try await box.registry.spares().isEmpty ? true : nil
            }
            #expect(await box.supervisor.pool.counts.dropped == [.lost: 1])
            #expect(box.launcher.state.withLock { $0.removed.map(\.sessionID) } == [spare])
        }
    }

    @Test func aRepetitionOfARequestIsTheSessionThatItMadeAndCostsNoSpare() async throws {
        try await Box.with(Self.settings()) { box in
            try await box.create(Self.structured)
            try await box.spares()
            let first = try await box.supervisor.create(Self.structured, idempotencyKey: "k", by: box.alice).record.id
            let spare = try await box.spares()[0].id
            let again = try await box.supervisor.create(Self.structured, idempotencyKey: "k", by: box.alice).record.id
            #expect(again == first)
            // Another request under the same key has none either.
            let refused = await refusal {
                _ = try await box.supervisor.create(
                    SessionCreation(name: "other", kind: .structured), idempotencyKey: "k", by: box.alice)
            }
            #expect(refused?.code == .invalid)
            #expect(await box.supervisor.pool.spares[spare] != nil)
            #expect(await box.supervisor.pool.counts.dropped == [:])
            #expect(box.launcher.state.withLock { $0.removed.isEmpty })
            #expect(try await box.create(Self.structured) == spare)
        }
    }

    @Test func requestsOfOneKeyThatComeTogetherTakeOneSpare() async throws {
        try await Box.with(Self.settings(count: 2)) { box in
            try await box.create(Self.structured)
            let spares = Set(try await box.spares(2).map(\.id))
            let made = try await withThrowingTaskGroup(of: SessionID.self) { group in
                for _ in 1...4 {
                    group.addTask {
                        try await box.supervisor.create(Self.structured, idempotencyKey: "k", by: box.alice).record.id
                    }
                }
                return try await group.reduce(into: Set<SessionID>()) { $0.insert($1) }
            }
            #expect(made.count == 1 && made.isSubset(of: spares))
            #expect(await Set(box.supervisor.pool.spares.keys) == spares.subtracting(made))
            #expect(await box.supervisor.pool.counts.dropped == [:])
        }
    }

    @Test func theNextSupervisorRemovesWhatTheLastOneLeft() async throws {
        let left = Shared(SessionID())
        let settings = Self.settings()
        try await Box.restarting(
            settings: settings,
            { box in
                try await box.create(Self.structured)
                // As after a kill: it is written down, and nobody has removed it.
                let id = SessionID()
                await box.supervisor.leave([id])
                _ = try await box.registry.holdSpare(id, tenantID: box.alice.tenantID, at: Date())
                left.withLock { $0 = id }
            },
            after: { box in
                let id = left.withLock { $0 }
                try await eventually("it to be removed") {
                    await box.supervisor.reconcile()
                    return try await box.registry.spares().isEmpty ? true : nil
                }
                #expect(box.launcher.state.withLock { $0.removed.map(\.sessionID) } == [id])
                #expect(await box.supervisor.adoptionReport()?.unowned == [])
            })
    }

    @Test func aRegistryThatWasMadeAnewIsNotBelievedAboutSpares() async throws {
        let state = Shared("")
        let (left, gone, session) = (SessionID(), SessionID(), SessionID())
        try await Box.restarting(
            settings: Self.settings(),
            { box in
                state.withLock { $0 = "\(box.path)/state" }
                await box.supervisor.leave([left, gone])
                _ = try await box.registry.holdSpare(left, tenantID: box.alice.tenantID, at: Date())
                let slot = try await box.registry.holdSpare(gone, tenantID: box.alice.tenantID, at: Date())
                _ = try await box.registry.backUp()
                // Its uid range is a session's since, which the backup does not know.
                try await box.registry.forgetSpare(gone)
                try await box.create(SessionCreation(id: session))
                #expect(try await box.record(session).uidSlot == slot)
                await box.supervisor.manifests.drain()
            },
            between: {
                let directory = state.withLock { $0 }
                for end in ["", "-wal", "-shm"] {
                    try? FileManager.default.removeItem(atPath: "\(directory)/registry.sqlite\(end)")
                }
            },
            after: { box in
                #expect(await box.supervisor.recovery != nil)
                let believed = try await box.registry.spares()
                #expect(believed == [])
                let restored = try await box.record(session)
                #expect(restored.lifecycle == .running)
                await box.supervisor.reconcile()
                #expect(box.launcher.state.withLock { $0.removed.isEmpty })
            })
    }
}

extension Box {
    /// Has as many spares made, and gives them.
    @discardableResult
    fileprivate func spares(_ count: Int = 1) async throws -> [Spare] {
        try await eventually("\(count) spares") {
            await supervisor.tendSpares()
            let spares = await Array(supervisor.pool.spares.values)
            return spares.count == count ? spares : nil
        }
    }
}

extension SessionSupervisor {
    /// Has it leave spares alone that are written down and not in its pool.
    fileprivate func leave(_ ids: Set<SessionID>) { sparesInFlux.formUnion(ids) }
}
