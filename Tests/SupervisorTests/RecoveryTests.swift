import Foundation
import Glibc
import Policy
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Registry
@testable import Supervisor

/// A registry that is lost while sessions live.
struct RecoveryTests {
    /// Takes the registry of a box that was shut down away: what it was before is random bytes now.
    private func ruin(_ state: String, backupsToo: Bool = false) async throws {
        // Closing a database may write to it.
        try await eventually("the registry to be closed") { try? SessionRegistry.lock(state) }
        for end in ["-wal", "-shm"] { unlink("\(state)/registry.sqlite\(end)") }
        try Data((0..<50_000).map { _ in UInt8.random(in: 0...255) })
            .write(to: URL(fileURLWithPath: "\(state)/registry.sqlite"))
        if backupsToo { try? FileManager.default.removeItem(atPath: "\(state)/backups") }
    }

    @Test func sessionsGoOnThoughTheRegistryIsLost() async throws {
        let live = SessionID()
        let parked = SessionID()
        let deleted = SessionID()
        let state = Mutex("")
        try await Box.restarting(
            { box in
                state.withLock { $0 = "\(box.path)/state" }
                for id in [live, parked, deleted] {
                    try await box.create(SessionCreation(id: id, name: "n", labels: ["k": "v"]))
                }
                // The backup knows of all three, and of nothing that comes after it.
                try await box.registry.backUp()
                _ = try await box.supervisor.park(parked, by: box.alice)
                _ = try await box.supervisor.delete(deleted, keepWorkspace: false, by: box.alice)
                _ = try await box.supervisor.stop(live, by: box.alice)
                _ = try await box.supervisor.resume(live, by: box.alice)
                await box.supervisor.manifests.drain()
            },
            between: { try await ruin(state.withLock { $0 }) },
            after: { box in
                let record = try await box.record(live)
                #expect(record.lifecycle == .running)
                #expect(record.incarnation == 2)
                #expect(record.labels == ["k": "v"])
                #expect(try await box.record(parked).lifecycle == .parked)
                #expect(try await box.record(parked).reason == .requested)
                #expect(await refusal { _ = try await box.record(deleted) }?.code == .notFound)
                _ = try await box.supervisor.input(live, text: "x", clientID: nil, submit: true, by: box.alice)
                #expect(try box.worker(live).inputs == ["x"])
                let readiness = await box.supervisor.readiness()
                #expect(readiness.checks["registry"] == "ok")
                #expect(readiness.checks["recovery"]?.contains("damaged") == true)
                #expect(readiness.checks["recovery"]?.contains("tokens") == true)
            })
    }

    @Test func aWorkerThatNothingElseKnowsOfGoesOnAsTheOperators() async throws {
        let id = SessionID()
        let state = Mutex("")
        try await Box.restarting(
            { box in
                state.withLock { $0 = "\(box.path)/state" }
                try await box.create(SessionCreation(id: id))
                await box.supervisor.manifests.drain()
            },
            between: {
                let state = state.withLock { $0 }
                try await ruin(state, backupsToo: true)
                // Its manifest too.
                try Data([0, 1, 2]).write(to: URL(fileURLWithPath: "\(state)/manifests/\(id).json"))
            },
            after: { box in
                #expect(await refusal { _ = try await box.record(id) }?.code == .notFound)
                let admin = try await box.registry.localAdmin()
                let session = try await box.supervisor.session(id, as: admin)
                #expect(session.record.lifecycle == .running)
                #expect(session.record.owner == "admin")
                _ = try await box.supervisor.input(id, text: "x", clientID: nil, submit: true, by: admin)
                #expect(await box.supervisor.readiness().checks["recovery"]?.contains("owner, tenant") == true)
            })
    }

    @Test func aSessionThatWasDeletedDoesNotComeBackThroughItsWorker() async throws {
        let id = SessionID()
        let state = Mutex("")
        try await Box.restarting(
            { box in
                state.withLock { $0 = "\(box.path)/state" }
                try await box.create(SessionCreation(id: id))
                try await box.registry.backUp()
                // Killed amid the deletion: the intent is there, the worker is too.
                let record = try #require(
                    try await box.registry.intend(.deleted, for: id, in: 1))
                try await box.supervisor.manifests.write(record)
            },
            between: { try await ruin(state.withLock { $0 }) },
            after: { box in
                // A deletion that was begun is finished behind the start.
                try await eventually("the deletion") { box.launcher.state.withLock { $0.removed.isEmpty } ? nil : true }
                #expect(box.launcher.state.withLock { $0.removed.map(\.sessionID) } == [id])
                try await eventually("its end") { (try? await box.record(id)) == nil ? true : nil }
                #expect(await refusal { _ = try await box.record(id) }?.code == .notFound)
            })
    }

    @Test func manifestsOfEarlierVersionsAreWrittenAnew() async throws {
        let id = SessionID()
        let manifest = Mutex("")
        try await Box.restarting(
            { box in
                try await box.create(SessionCreation(id: id))
                await box.supervisor.manifests.drain()
                let path = await box.supervisor.manifests.path(id)
                manifest.withLock { $0 = path }
            },
            between: { unlink(manifest.withLock { $0 }) },
            after: { box in
                try await eventually("its manifest") { () -> Bool? in
                    FileManager.default.fileExists(atPath: manifest.withLock { $0 }) ? true : nil
                }
            })
    }

    @Test(.enabled(if: geteuid() == 0)) func everyCallOnAFullDiskSaysSoAndLeavesNothingHalfDone() async throws {
        var settings = Box.Settings()
        settings.diskBytes = 4 << 20
        try await Box.with(settings) { box in
            let running = try await box.create()
            let parked = try await box.create()
            let doomed = try await box.create()
            _ = try await box.supervisor.park(parked, by: box.alice)
            let ballast = "\(box.path)/ballast"
            let file = open(ballast, O_WRONLY | O_CREAT, 0o600)
            let block = [UInt8](repeating: 1, count: 512)
            func fill() { while write(file, block, block.count) > 0 {} }
            fill()
            // SQLite's log has room that was taken before: use it up.
            for number in 0..<200 {
                var patch = SessionPatch()
                patch.name = String(repeating: "x", count: 100) + "\(number)"
                guard (try? await box.supervisor.update(running, patch, by: box.alice)) != nil else { break }
                fill()
            }
            let supervisor = box.supervisor
            await Self.expectRefusals(box, running: running, parked: parked, doomed: doomed)
            // What needs no disk goes on.
            #expect(try await box.record(running).lifecycle == .running)
            #expect(try await box.record(parked).lifecycle == .parked)
            _ = try await supervisor.input(running, text: "x", clientID: nil, submit: true, by: box.alice)
            #expect(await supervisor.readiness().ready == false)
            #expect(await supervisor.admission.reserved.count == 2)
            close(file)
            unlink(ballast)
            // There is room: each of them works.
            _ = try await supervisor.resume(parked, by: box.alice)
            _ = try await supervisor.stop(running, by: box.alice)
            try await supervisor.delete(doomed, keepWorkspace: false, by: box.alice)
            try await box.create()
            #expect(await supervisor.readiness().checks["registry"] == "ok")
        }
    }

    /// Every call that changes something is refused with the disk as the reason.
    static func expectRefusals(_ box: Box, running: SessionID, parked: SessionID, doomed: SessionID) async {
        let supervisor = box.supervisor
        let calls: [(String, () async throws -> Void)] = [
            ("create", { try await box.create() }),
            ("update", { _ = try await supervisor.update(running, SessionPatch(name: "y"), by: box.alice) }),
            ("stop", { _ = try await supervisor.stop(running, by: box.alice) }),
            ("park", { _ = try await supervisor.park(running, by: box.alice) }),
            ("resume", { _ = try await supervisor.resume(parked, by: box.alice) }),
            (
                "wake",
                { _ = try await supervisor.input(parked, text: "x", clientID: nil, submit: true, by: box.alice) }
            ),
            ("delete", { try await supervisor.delete(doomed, keepWorkspace: false, by: box.alice) }),
        ]
        for (name, call) in calls {
            let error = await refusal(call)
            #expect(error?.code == .storage, "\(name): \(String(describing: error))")
            #expect(error?.detail.contains("Free space") == true, "\(name)")
        }
    }

    @Test(.enabled(if: FailingDisk.isPossible)) func everyCallOnADiskThatAnswersEIOSaysSoAndWhatWasAcknowledgedIsThere()
        async throws
    {
        let held = Mutex<FailingDisk?>(nil)
        var settings = Box.Settings()
        settings.onFailingDisk = { disk in held.withLock { $0 = disk } }
        try await Box.with(settings) { box in
            let disk = try #require(held.withLock { $0 })
            let running = try await box.create()
            let parked = try await box.create()
            let doomed = try await box.create()
            _ = try await box.supervisor.park(parked, by: box.alice)
            var acknowledged = 0
            func rename(_ number: Int) async -> SupervisorError? {
                let patch = SessionPatch(name: "\(number) " + String(repeating: "x", count: 90))
                do {
                    _ = try await box.supervisor.update(running, patch, by: box.alice)
                    acknowledged = number
                    return nil
                } catch { return error }
            }
            #expect(await rename(1) == nil)
            try disk.fail()
            // SQLite's log has blocks that were taken before: use them up.
            var failure: SupervisorError?
            for number in 2..<4000 where failure == nil { failure = await rename(number) }
            #expect(failure?.code == .storage, "\(String(describing: failure))")
            #expect(failure?.detail.contains("I/O error") == true, "\(String(describing: failure))")
            await Self.expectRefusals(box, running: running, parked: parked, doomed: doomed)
            // What needs no disk goes on, and says what is.
            #expect(try await box.record(running).lifecycle == .running)
            #expect(try await box.record(running).name?.hasPrefix("\(acknowledged) ") == true)
            _ = try await box.supervisor.input(running, text: "x", clientID: nil, submit: true, by: box.alice)
            #expect(await box.supervisor.readiness().ready == false)

            disk.mend()
            #expect(await rename(5000) == nil)
            _ = try await box.supervisor.resume(parked, by: box.alice)
            _ = try await box.supervisor.stop(running, by: box.alice)
            try await box.supervisor.delete(doomed, keepWorkspace: false, by: box.alice)
            #expect(await box.supervisor.readiness().checks["registry"] == "ok")
        }
    }

    /// What the disk itself has afterwards, not what the kernel remembers.
    @Test(.enabled(if: FailingDisk.isPossible)) func whatWasAcknowledgedBesideErrorsIsOnTheDisk() async throws {
        let path = "/tmp/rk-eio-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { rmdir(path) }
        let disk = try FailingDisk(at: path)
        defer { disk.remove() }
        var acknowledged: [Int] = []
        do {
            let registry = try SessionRegistry(directory: "\(path)/state")
            let tenant = try await registry.createTenant("default")
            for number in 1...600 {
                if number == 100 { try disk.fail() }
                if number == 500 { disk.mend() }
                let name = "\(number)-" + String(repeating: "x", count: 40)
                if (try? await registry.createUser(name, tenantID: tenant.id)) != nil { acknowledged.append(number) }
            }
        }
        #expect(acknowledged.contains(99) && acknowledged.contains(600))
        #expect(!acknowledged.contains(499), "the disk never failed")
        try await eventually("the registry to be closed") { (try? disk.remount()).map { true } }
        let registry = try SessionRegistry(directory: "\(path)/state")
        let tenant = try #require(try await registry.tenant(named: "default"))
        for number in acknowledged {
            let name = "\(number)-" + String(repeating: "x", count: 40)
            let user = try await registry.user(named: name, tenantID: tenant.id)
            #expect(user != nil, "\(number)")
        }
    }
}
