import Foundation
import Registry
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

/// A worker of the version before under this supervisor.
struct PreviousVersionTests {
    @Test func aWorkerOfTheVersionBeforeIsDrivenToItsEnd() async throws {
        let id = try #require(RecordedWorker.sessionID)
        try await Box.with { box in
            try await box.create(SessionCreation(id: id))
            let replaced = try box.worker(id)
            let worker = try await RecordedWorker(runtime: box.path, group: Box.group)
            defer { worker.close() }
            // Afterwards, as a busy event loop may have it anyway: its end must not take the other's socket along.
            replaced.close()
            try await eventually("its status") {
                // Its listener may have taken one more connection while it closed.
                replaced.hangUp()
                let view = try await box.supervisor.session(id, as: box.alice)
                return !view.unresponsive && view.worker?.activity == .working ? true : nil
            }
            #expect(
                try await box.supervisor.input(id, text: "hello", clientID: "c1", submit: true, by: box.alice) == 8)
            #expect(
                try await box.supervisor.screen(id, format: .text, as: box.alice).content == "ready\nhello\nhello")
            try await box.supervisor.interrupt(id, by: box.alice)
            try await eventually("its events") {
                await box.supervisor.numbers(of: id).contains(11) ? true : nil
            }
            // It says dates alone: they are ages all the same.
            let report = try await box.supervisor.idle(id, as: box.alice)
            #expect(report.signals.contains { $0.name == "last_output" && $0.ageSeconds != nil })
            // What it does not know it refuses, and goes on.
            await box.supervisor.tellOfAdoption(id)
            #expect(try await box.supervisor.stop(id, by: box.alice).record.lifecycle == .stopped)
            #expect(try await box.registry.session(id)?.lastSequence ?? 0 >= 16)
        }
    }

    @Test func aWorkerOfANewerVersionMaySayWhatWeDoNotKnow() async throws {
        try await Box.with { box in
            let id = try await box.create()
            let worker = try box.worker(id)
            let before = worker.emit(.turnStarted)
            worker.sendRaw(#"{"event":{"_0":{"type":"session.levitated","seq":99,"data":{}}}}"#)
            worker.sendRaw(#"{"marvel":{"_0":1}}"#)
            let after = worker.emit(.turnCompleted)
            try await eventually("what comes after it") {
                let numbers = await box.supervisor.numbers(of: id)
                return numbers.contains(before) && numbers.contains(after) ? true : nil
            }
            #expect(worker.state.withLock { $0.connections.count } == 1)
        }
    }

    @Test func aWorkerThatCannotBeTalkedToIsStartedAnew() async throws {
        let id = SessionID()
        try await Box.restarting(
            { box in
                try await box.create(SessionCreation(id: id))
                try box.worker(id).state.withLock { $0.version = ControlRequest.version + 1 }
            },
            after: { box in
                let record = try await box.waitFor(id, .running)
                #expect(record.incarnation == 2)
                #expect(box.launcher.state.withLock { $0.cleaned } == [id])
                let session = await box.supervisor.adoptionReport()?.sessions.first
                #expect(session?.reason.contains("version") == true)
            })
    }
}

extension SessionSupervisor {
    func tellOfAdoption(_ id: SessionID) async {
        guard let entry = entries[id] else { return }
        await tell(entry, .sessionAdopted, [:])
    }
}
