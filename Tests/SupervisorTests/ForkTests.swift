import Foundation
import Registry
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

struct ForkTests {
    @Test func aForkHasWhatTheOtherWasMadeWithAndItsFiles() async throws {
        try await Box.with { box in
            let id = try await box.create(
                SessionCreation(name: "first", kind: .structured, env: ["A": "b"], labels: ["x": "y"], model: "opus"))
            let before = try await box.record(id)
            let fork = try await box.supervisor.fork(
                id, SessionCreation(name: "second"), idempotencyKey: "k", by: box.alice)
            #expect(fork.record.id != id)
            #expect(fork.record.forkedFrom == id)
            #expect(fork.record.lifecycle == .running && fork.record.kind == .structured)
            #expect(fork.record.labels["x"] == nil, "labels are the other's own")
            let request = try #require(box.launcher.state.withLock { $0.launches.last })
            #expect(request.filesOf == id)
            #expect(request.environment["ROOKERY_FORK_OF"] == id.description)
            #expect(request.environment["A"] == "b")
            #expect(request.environment["ROOKERY_MODEL"] == "opus")
            #expect(try await box.record(id) == before, "the other is as it was")
            // The same key is the same session.
            let again = try await box.supervisor.fork(
                id, SessionCreation(name: "second"), idempotencyKey: "k", by: box.alice)
            #expect(again.record.id == fork.record.id)

            // Its origin is nobody's to take away or to claim.
            let patched = try await box.supervisor.update(
                fork.record.id, SessionPatch(labels: ["mine": "1"]), by: box.alice)
            #expect(patched.record.forkedFrom == id && patched.record.labels["mine"] == "1")
            let claimed = await refusal {
                try await box.create(SessionCreation(labels: ["rookery/forked-from": "\(id)"]))
            }
            #expect(claimed?.code == .invalid)
        }
    }

    private func refusedFork(_ id: SessionID, _ box: Box, by principal: Principal? = nil) async -> SupervisorError? {
        await refusal {
            _ = try await box.supervisor.fork(
                id, SessionCreation(), idempotencyKey: nil, by: principal ?? box.alice)
        }
    }

    @Test func theOtherIsHeldWhileItsFilesAreCopiedAndThenNeverAgain() async throws {
        try await Box.with { box in
            let id = try await box.create(SessionCreation(kind: .structured))
            let worker = try box.worker(id)
            let fork = try await box.supervisor.fork(id, SessionCreation(), idempotencyKey: nil, by: box.alice)
            try await eventually("the release") { worker.state.withLock { $0.holds } == ["hold", "release"] }
            // Its own files are there: whenever it starts again, nobody waits.
            _ = try await box.supervisor.park(fork.record.id, by: box.alice)
            _ = try await box.supervisor.resume(fork.record.id, by: box.alice)
            #expect(worker.state.withLock { $0.holds } == ["hold", "release"])
            // One that cannot be held is copied all the same, and its fork's log says so.
            worker.state.withLock { $0.refusesFreeze = "cannot_freeze" }
            _ = try await box.supervisor.fork(id, SessionCreation(), idempotencyKey: nil, by: box.alice)
            #expect(worker.state.withLock { $0.holds } == ["hold", "release", "hold"])
        }
    }

    @Test func aTerminalSessionIsForkedToo() async throws {
        try await Box.with { box in
            let terminal = try await box.create()
            let fork = try await box.supervisor.fork(terminal, SessionCreation(), idempotencyKey: nil, by: box.alice)
            #expect(fork.record.kind == .terminal && fork.record.forkedFrom == terminal)
        }
    }

    @Test func onlyASessionAtRestIsForked() async throws {
        try await Box.with { box in
            #expect(await refusedFork(SessionID(), box)?.code == .notFound)
            let id = try await box.create(SessionCreation(kind: .structured))
            let bob = try await box.registry.person("bob")
            #expect(await refusedFork(id, box, by: bob) != nil)
            _ = try await box.supervisor.park(id, by: box.alice)
            let fork = try await box.supervisor.fork(id, SessionCreation(), idempotencyKey: nil, by: box.alice)
            #expect(fork.record.forkedFrom == id)
            #expect(try await box.record(id).lifecycle == .parked, "reading it wakes nobody")
        }
    }
}
