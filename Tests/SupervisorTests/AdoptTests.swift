import Foundation
import Registry
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

struct AdoptTests {
    @Test func liveWorkersAreAdoptedAndTheRestIsStartedAgain() async throws {
        let live = SessionID()
        let lost = SessionID()
        let parked = SessionID()
        let workers = Mutex<[SessionID: ScriptedWorker]>([:])
        try await Box.restarting(
            { box in
                box.launcher.state.withLock { $0.mortal = true }
                for id in [live, lost, parked] { try await box.create(SessionCreation(id: id)) }
                _ = try await box.supervisor.park(parked, by: box.alice)
                let made = box.launcher.state.withLock { $0.workers }
                workers.withLock { $0 = made }
            },
            between: { workers.withLock { $0[lost] }?.crash() },
            after: { box in
                let adopted = try await box.record(live)
                #expect(adopted.lifecycle == .running)
                #expect(adopted.incarnation == 1)
                #expect(try await box.waitFor(lost, .running).incarnation == 2)
                let parkedRecord = try await box.record(parked)
                #expect(parkedRecord.lifecycle == .parked && parkedRecord.reason == .requested)
                #expect(await box.supervisor.admission.reserved.count == 2)
                // A session runs a moment before the report counts it.
                try await eventually("the report") {
                    await box.supervisor.adoptionReport()?.summary == "1 adopted, 1 resumed" ? true : nil
                }
                // It is ours as if we had started it.
                _ = try await box.supervisor.input(live, text: "x", clientID: nil, submit: true, by: box.alice)
                #expect(try await box.supervisor.stop(live, by: box.alice).record.lifecycle == .stopped)
            })
    }

    @Test func eventsOfBeforeAreThereAfterwards() async throws {
        let id = SessionID()
        let before = Mutex<[UInt64]>([])
        try await Box.restarting(
            { box in
                try await box.create(SessionCreation(id: id))
                let worker = try box.worker(id)
                worker.emit(.turnStarted)
                let last = worker.emit(.turnCompleted)
                let events = try await box.supervisor.events(id, since: 0, as: box.alice)
                for await event in events {
                    before.withLock { $0.append(event.seq) }
                    if event.seq == last { break }
                }
            },
            after: { box in
                let expected = before.withLock { $0 }
                let seen = try await eventually("the replay") { () async throws -> [UInt64]? in
                    let numbers = await box.supervisor.numbers(of: id)
                    return numbers.count >= expected.count ? numbers : nil
                }
                // Then it tells of its adoption.
                #expect(Array(seen.prefix(expected.count)) == expected)
            })
    }

    @Test func whatWasBeingEndedIsEnded() async throws {
        let stopping = SessionID()
        let parking = SessionID()
        let deleting = SessionID()
        try await Box.restarting(
            { box in
                for id in [stopping, parking, deleting] { try await box.create(SessionCreation(id: id)) }
                func move(_ id: SessionID, _ to: Lifecycle, _ desired: DesiredState) async throws {
                    _ = try await box.registry.transition(
                        id,
                        SessionTransition(
                            from: [.running], incarnation: 1, to: to, desired: desired, reason: .requested,
                            actor: "alice", takesNumber: false))
                }
                try await move(stopping, .stopping, .stopped)
                try await move(parking, .parking, .parked)
                var changes = SessionChanges()
                changes.keepsWorkspace = true
                _ = try await box.registry.intend(.deleted, for: deleting, in: 1, changes)
            },
            after: { box in
                try await box.waitFor(stopping, .stopped)
                try await box.waitFor(parking, .parked)
                try await eventually("the deletion") {
                    try await box.registry.session(deleting)?.lifecycle == .deleted ? true : nil
                }
                #expect(box.launcher.state.withLock { $0.removed.map(\.sessionID) } == [deleting])
                #expect(box.launcher.state.withLock { $0.removed.map(\.keepWorkspace) } == [true])
            })
    }

    @Test func aStartThatWasCutOffIsAdoptedWhenItsWorkerCameUp() async throws {
        let id = SessionID()
        try await Box.restarting(
            { box in
                try await box.create(SessionCreation(id: id))
                try await box.registry.rewind(id)
            },
            after: { box in
                let record = try await box.record(id)
                #expect(record.lifecycle == .running)
            })
    }

    @Test func shutdownWithStopSessionsParksThemToComeBack() async throws {
        try await Box.with { box in
            let id = try await box.create()
            await box.supervisor.shutdown(stopSessions: true)
            let record = try await box.registry.session(id)
            #expect(record?.lifecycle == .parked)
            #expect(record?.reason == .hostRestart)
            #expect(await refusal { try await box.create() }?.code == .unavailable)
        }
    }
}
