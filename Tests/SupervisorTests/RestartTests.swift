import Foundation
import Glibc
import Registry
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

/// What a supervisor does with what it finds when it starts.
struct RestartTests {
    /// Ends the workers of a box, as a crash of the host would.
    private static func workers(of box: Box) -> [SessionID: ScriptedWorker] {
        box.launcher.state.withLock { $0.workers }
    }

    @Test func aWorkerThatLivesAndDoesNotAnswerIsKeptAndTakenUpWhenItDoes() async throws {
        let id = SessionID()
        let workers = Mutex<[SessionID: ScriptedWorker]>([:])
        try await Box.restarting(
            { box in
                box.launcher.state.withLock { $0.mortal = true }
                try await box.create(SessionCreation(id: id))
                let made = Self.workers(of: box)
                workers.withLock { $0 = made }
                made[id]?.state.withLock { $0.isMute = true }
            },
            after: { box in
                let view = try await box.supervisor.session(id, as: box.alice)
                #expect(view.record.lifecycle == .running && view.unresponsive)
                #expect(await box.supervisor.adoptionReport()?.sessions.first?.outcome == .adopted)
                // It keeps its place, and nothing is started beside it.
                await box.supervisor.reconcile()
                #expect(box.launcher.state.withLock { $0.swept.allSatisfy { $0 == [id] } })
                workers.withLock { $0[id] }?.state.withLock { $0.isMute = false }
                try await eventually("its answer") {
                    try await box.supervisor.session(id, as: box.alice).unresponsive ? nil : true
                }
                #expect(try await box.record(id).incarnation == 1)
                #expect(box.launcher.state.withLock { $0.launches.isEmpty && $0.cleaned.isEmpty })
            })
    }

    @Test func aStartThatFindsManyDeadStartsAFewAtATime() async throws {
        let ids = (0..<7).map { _ in SessionID() }
        let workers = Mutex<[SessionID: ScriptedWorker]>([:])
        try await Box.restarting(
            { box in
                box.launcher.state.withLock { $0.mortal = true }
                for id in ids { try await box.create(SessionCreation(id: id)) }
                let made = Self.workers(of: box)
                workers.withLock { $0 = made }
            },
            between: { for worker in workers.withLock({ Array($0.values) }) { worker.crash() } },
            prepare: { $0.script(.slow(.milliseconds(60)), .slow(.milliseconds(60)), .slow(.milliseconds(60))) },
            after: { box in
                for id in ids { try await box.waitFor(id, .running) }
                #expect(box.launcher.state.withLock { $0.mostAtOnce } <= 2)
                #expect(box.launcher.state.withLock { $0.launches.count } == ids.count)
                let report = try #require(await box.supervisor.adoptionReport())
                #expect(report.count(.resumed) == ids.count && report.summary == "7 resumed")
            })
    }

    @Test func whatDoesNotFitIsParkedAndWakesByItself() async throws {
        let ids = (0..<3).map { _ in SessionID() }
        let workers = Mutex<[SessionID: ScriptedWorker]>([:])
        var settings = Box.Settings()
        settings.maxSessions = 3
        var smaller = settings
        smaller.maxSessions = 2
        try await Box.restarting(
            settings: settings, nextSettings: smaller,
            { box in
                box.launcher.state.withLock { $0.mortal = true }
                for id in ids { try await box.create(SessionCreation(id: id)) }
                let made = Self.workers(of: box)
                workers.withLock { $0 = made }
            },
            between: { for worker in workers.withLock({ Array($0.values) }) { worker.crash() } },
            after: { box in
                let report = try await eventually("everybody's turn") { () async throws -> AdoptionReport? in
                    let report = await box.supervisor.adoptionReport()
                    return report?.count(.waiting) == 0 ? report : nil
                }
                #expect(report.count(.resumed) == 2 && report.count(.failed) == 1)
                let left = try #require(report.sessions.first { $0.outcome == .failed })
                #expect(left.reason.contains("full"))
                let record = try await box.record(left.id)
                #expect(record.lifecycle == .parked && record.desired == .parked)
                let other = try #require(ids.first { $0 != left.id })
                _ = try await box.supervisor.park(other, by: box.alice)
                _ = try await box.supervisor.input(left.id, text: "x", clientID: nil, submit: true, by: box.alice)
                #expect(try await box.record(left.id).lifecycle == .running)
            })
    }

    @Test func aRestartThatTheLastSupervisorPlannedIsCarriedOut() async throws {
        let id = SessionID()
        try await Box.restarting(
            { box in
                box.launcher.state.withLock { $0.mortal = true }
                try await box.create(SessionCreation(id: id))
                _ = try await box.registry.transition(
                    id,
                    SessionTransition(
                        from: [.running], incarnation: 1, to: .parked, reason: .crashed, actor: "supervisor"))
                try box.worker(id).crash()
            },
            after: { box in
                let record = try await box.waitFor(id, .running)
                #expect(record.incarnation == 2)
            })
    }

    enum Step: CaseIterable, Sendable {
        case stopIntended, stopEnded, deleteIntended, deleteStopping, deleteStopped, deleteRemoved
    }

    /// Everything dies at one step of a stop or a delete. The next supervisor must finish it and start nothing.
    @Test(arguments: Step.allCases, [true, false])
    func aStoppedOrDeletedSessionNeverComesBack(_ step: Step, workerDies: Bool) async throws {
        let id = SessionID()
        let workers = Mutex<[SessionID: ScriptedWorker]>([:])
        try await Box.restarting(
            { box in
                box.launcher.state.withLock { $0.mortal = true }
                try await box.create(SessionCreation(id: id))
                let made = Self.workers(of: box)
                workers.withLock { $0 = made }
                func move(_ to: Lifecycle, _ desired: DesiredState?) async throws {
                    _ = try await box.registry.transition(
                        id,
                        SessionTransition(
                            from: [.running, .stopping, .stopped], incarnation: 1, to: to, desired: desired,
                            reason: .requested, actor: "alice", takesNumber: false))
                }
                func intend() async throws {
                    _ = try await box.registry.intend(.deleted, for: id, in: 1)
                }
                switch step {
                case .stopIntended: try await move(.stopping, .stopped)
                case .stopEnded: try await move(.stopped, .stopped)
                case .deleteIntended: try await intend()
                case .deleteStopping:
                    try await intend()
                    try await move(.stopping, nil)
                case .deleteStopped:
                    try await intend()
                    try await move(.stopped, nil)
                case .deleteRemoved: try await move(.deleted, .deleted)
                }
            },
            between: { if workerDies { workers.withLock { $0[id] }?.crash() } },
            after: { box in
                let isDeletion = step != .stopIntended && step != .stopEnded
                try await eventually("it to be finished") {
                    try await box.registry.session(id)?.lifecycle == (isDeletion ? .deleted : .stopped) ? true : nil
                }
                try await eventually("a look at everything") {
                    await box.supervisor.reconcile()
                    return box.launcher.state.withLock { $0.swept.count > 1 && $0.swept.last == [] } ? true : nil
                }
                await box.supervisor.reconcile()
                #expect(box.launcher.state.withLock { $0.launches.isEmpty })
                if !isDeletion {
                    let error = await refusal {
                        _ = try await box.supervisor.input(id, text: "x", clientID: nil, submit: true, by: box.alice)
                    }
                    #expect(error?.code == .wrongState)
                } else {
                    // Its uid range is free again.
                    try await eventually("uid range 0") {
                        await box.supervisor.reconcile()
                        return try await box.record(try await box.create()).uidSlot == 0 ? true : nil
                    }
                }
            })
    }

    @Test func dataThatNobodyOwnsIsNamedAndThatOfDeletedSessionsRemoved() async throws {
        try await Box.with { box in
            let deleted = try await box.create()
            try await box.supervisor.delete(deleted, keepWorkspace: false, by: box.alice)
            // More than one page of them, of files and of journals alone.
            let unknown = (1...5).map { _ in SessionID() }
            try Self.leaveData(of: [deleted] + unknown.dropLast(), in: "\(box.path)/state/sessions")
            try Self.leaveData(of: unknown.suffix(2), in: "\(box.path)/state/journals")
            box.launcher.state.withLock { $0.removed = [] }
            let names = unknown.map(\.description).sorted()
            try await eventually("a look") {
                await box.supervisor.reconcile()
                return await box.supervisor.adoptionReport()?.unowned == names ? true : nil
            }
            #expect(box.launcher.state.withLock { Set($0.removed.map(\.sessionID)) } == [deleted])
            #expect(await box.supervisor.readiness().checks["unowned"]?.contains("5 sessions") == true)
        }
    }

    /// A registry that had to be made anew knows less than there was.
    @Test func aRegistryThatWasMadeAnewHasNoDataRemoved() async throws {
        let id = SessionID()
        let state = Mutex("")
        try await Box.restarting(
            { box in
                state.withLock { $0 = "\(box.path)/state" }
                try await box.create(SessionCreation(id: id))
                try await box.supervisor.delete(id, keepWorkspace: false, by: box.alice)
            },
            between: {
                let directory = state.withLock { $0 }
                for end in ["", "-wal", "-shm"] {
                    try? FileManager.default.removeItem(atPath: "\(directory)/registry.sqlite\(end)")
                }
                try Self.leaveData(of: [id], in: "\(directory)/sessions")
            },
            after: { box in
                #expect(await box.supervisor.recovery != nil)
                // A look that is under way already makes of another one nothing.
                try await eventually("its data to be named") {
                    await box.supervisor.reconcile()
                    return await box.supervisor.adoptionReport()?.unowned == [id.description] ? true : nil
                }
                #expect(box.launcher.state.withLock { $0.removed.isEmpty })
            })
    }

    private static func leaveData(of ids: some Sequence<SessionID>, in directory: String) throws {
        for id in ids {
            try FileManager.default.createDirectory(
                atPath: "\(directory)/\(id)", withIntermediateDirectories: true)
        }
    }

    /// The figure for Docs/benchmarks.md; the bound is for a loaded machine.
    @Test(arguments: [50, 200]) func manyWorkersAreAdoptedSideBySide(_ count: Int) async throws {
        var settings = Box.Settings()
        settings.maxSessions = count
        settings.maxMemory = .gibibytes(1000)
        try await Box.restarting(
            settings: settings,
            { box in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<count { group.addTask { try await box.create() } }
                    try await group.waitForAll()
                }
            },
            after: { box in
                let report = try #require(await box.supervisor.adoptionReport())
                #expect(report.count(.adopted) == count)
                print("adopted \(count) workers in \(Int(report.seconds * 1000)) ms")
                #expect(report.seconds < 10)
            })
    }
}
