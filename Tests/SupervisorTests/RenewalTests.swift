import Foundation
import Registry
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

/// Workers of an older build make way for the installed one, and never while anything of their session is under way.
struct RenewalTests {
    /// A session whose worker is of this test's own program, or of none that anybody knows.
    private func session(in box: Box, isOlder: Bool, activity: Activity) async throws -> SessionID {
        box.launcher.state.withLock {
            $0.activity = activity
            $0.program = isOlder ? nil : ProgramIdentity.own
        }
        return try await box.create()
    }

    private func states(_ box: Box) async -> [SessionID: UpgradeReport.Session.State] {
        Dictionary(
            await box.supervisor.upgradeReport().sessions.map { ($0.id, $0.state) },
            uniquingKeysWith: { first, _ in first })
    }

    @Test func anOlderWorkerMakesWayWhenItsTurnIsOver() async throws {
        try await Box.with { box in
            let busy = try await session(in: box, isOlder: true, activity: .working)
            let asking = try await session(in: box, isOlder: true, activity: .pending)
            let idle = try await session(in: box, isOlder: true, activity: .idle)
            let current = try await session(in: box, isOlder: false, activity: .idle)
            #expect(await states(box) == [busy: .older, asking: .older, idle: .older, current: .current])
            // What is started from here on is of the installed build.
            box.launcher.state.withLock { $0.program = ProgramIdentity.own }
            try await box.supervisor.upgrade(workers: .now, replacesSupervisor: false, by: box.alice)
            try await eventually("the idle one") {
                await box.supervisor.renewWorkers()
                return await states(box)[idle] == .current ? true : nil
            }
            #expect(await states(box) == [busy: .waiting, asking: .waiting, idle: .current, current: .current])
            #expect(try await box.record(idle).incarnation == 2)
            #expect(try await box.record(current).incarnation == 1)
            #expect(try await box.supervisor.session(busy, as: box.alice).draining)
            #expect(try await !box.supervisor.session(idle, as: box.alice).draining)
            for id in [busy, asking] {
                #expect(try await box.record(id).incarnation == 1)
                try box.worker(id).become(.idle)
            }
            try await eventually("the others") {
                await box.supervisor.renewWorkers()
                return await states(box).values.allSatisfy { $0 == .current } ? true : nil
            }
            // Nothing older is left: the wish is fulfilled, and goes.
            await box.supervisor.renewWorkers()
            #expect(await box.supervisor.upgradeReport().workers == .never)
        }
    }

    @Test func whileASessionIsInUseItsWorkerStays() async throws {
        try await Box.with { box in
            let id = try await session(in: box, isOlder: true, activity: .idle)
            box.launcher.state.withLock { $0.program = ProgramIdentity.own }
            let worker = try box.worker(id)
            try await box.supervisor.upgrade(workers: .idle, replacesSupervisor: false, by: box.alice)
            await box.supervisor.renewWorkers()
            #expect(try await box.record(id).incarnation == 1)
            // Somebody has typed and not sent it: half a minute is not enough then.
            worker.state.withLock { $0.status.lastInput = Date().addingTimeInterval(1) }
            await box.tick()
            box.clock.advance(60)
            await box.supervisor.renewWorkers()
            #expect(try await box.record(id).incarnation == 1)
            #expect(await box.supervisor.upgradeReport().sessions.first?.detail?.contains("has not sent") == true)
            box.clock.advance(900)
            try await eventually("it") {
                await box.supervisor.renewWorkers()
                return try await box.record(id).incarnation == 2 ? true : nil
            }
            #expect(worker.state.withLock { $0.returns } == [true])
        }
    }

    @Test func theWishOutlivesTheSupervisor() async throws {
        let id = SessionID()
        var settings = Box.Settings()
        settings.reconcileInterval = .milliseconds(50)
        try await Box.restarting(
            settings: settings,
            { box in
                box.launcher.state.withLock { $0.activity = .working }
                try await box.create(SessionCreation(id: id))
                try await box.supervisor.upgrade(workers: .now, replacesSupervisor: false, by: box.alice)
            },
            prepare: { launcher in launcher.state.withLock { $0.program = ProgramIdentity.own } },
            after: { box in
                try await eventually("its adoption") {
                    try await box.supervisor.session(id, as: box.alice).draining ? true : nil
                }
                try box.worker(id).become(.idle)
                try await eventually("its renewal") { try await box.record(id).incarnation == 2 ? true : nil }
            })
    }

    @Test func aSupervisorThatNothingStandsBehindSaysSo() async throws {
        try await Box.with { box in
            let error = await refusal {
                try await box.supervisor.upgrade(workers: .now, replacesSupervisor: true, by: box.alice)
            }
            #expect(error?.code == .wrongState)
            #expect(error?.detail.contains("--steward") == true)
            #expect(await box.supervisor.upgradeReport().workers == .never)
        }
    }
}
