import Foundation
import Registry
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

struct EndTests {
    @Test(arguments: [(Int32(0), Reason.exited), (3, .crashed)])
    func aCommandThatEndsParksTheSession(_ code: Int32, _ reason: Reason) async throws {
        try await Box.with { box in
            let id = try await box.create()
            try box.worker(id).end(code: code)
            #expect(try await box.waitFor(id, .parked).reason == reason)
        }
    }

    /// nil: rookery-init was killed, and could not say how the command ended.
    @Test(arguments: [Int32?.some(9), nil])
    func aCommandThatIsKilledIsStartedAgain(_ signal: Int32?) async throws {
        try await Box.with { box in
            let id = try await box.create()
            try box.worker(id).end(code: nil, signal: signal)
            try await eventually("the next incarnation") {
                let record = try await box.record(id)
                return record.incarnation == 2 && record.lifecycle == .running ? true : nil
            }
            #expect(try await box.registry.transitions(of: id).suffix(3).map(\.reason) == [.crashed, .crashed, nil])
        }
    }

    @Test func aCommandThatEndsAtOnceFailsWithItsLastWords() async throws {
        var settings = Box.Settings()
        settings.quickEnd = 3600
        try await Box.with(settings) { box in
            box.launcher.script(.launchAndEnd(code: 3, lines: "no such luck\n"))
            let id = try await box.create()
            let record = try await box.waitFor(id, .failed)
            #expect(record.reason == .exited)
            #expect(record.detail?.contains("no such luck") == true)
            #expect(record.detail?.contains("status 3") == true)
        }
    }

    @Test func aCommandThatWorkedOnceMayEndAtOnceOnce() async throws {
        var settings = Box.Settings()
        settings.quickEnd = 60
        try await Box.with(settings) { box in
            let id = try await box.create()
            box.clock.advance(100)
            try box.worker(id).end(code: 0)
            try await box.waitFor(id, .parked)
            box.launcher.script(.launchAndEnd(code: 1, lines: "a"), .launchAndEnd(code: 1, lines: "b"))
            _ = try await box.supervisor.resume(id, by: box.alice)
            try await box.waitFor(id, .parked)
            _ = try await box.supervisor.resume(id, by: box.alice)
            #expect(try await box.waitFor(id, .failed).detail?.contains("b") == true)
        }
    }

    @Test func aKillForMemoryIsSaid() async throws {
        try await Box.with { box in
            let cgroup = "\(box.path)/cgroup"
            try FileManager.default.createDirectory(atPath: cgroup, withIntermediateDirectories: true)
            func write(_ kills: Int) throws {
                try "low 0\nhigh 0\nmax 4\noom 1\noom_kill \(kills)\n".write(
                    toFile: "\(cgroup)/memory.events", atomically: true, encoding: .utf8)
            }
            try write(0)
            box.launcher.state.withLock { $0.cgroups = ["unified": cgroup] }
            let id = try await box.create()
            try write(1)
            // A tool was killed, the session goes on: told, not ended.
            box.clock.advance(60)
            await box.tick()
            #expect(try box.worker(id).recorded.contains(.sessionOOM))
            try write(2)
            try box.worker(id).end(code: nil, signal: 9)
            let record = try await box.waitFor(id, .parked)
            #expect(record.reason == .oom)
        }
    }

    @Test func aLostConnectionToALivingWorkerIsMadeAgain() async throws {
        try await Box.with { box in
            let id = try await box.create()
            let worker = try box.worker(id)
            worker.hangUp()
            try await eventually("a new connection") { worker.state.withLock { $0.subscribers.isEmpty } ? nil : true }
            #expect(try await box.record(id).lifecycle == .running)
            let seq = worker.emit(.turnStarted)
            let events = try await box.supervisor.events(id, since: seq - 1, as: box.alice)
            for await event in events {
                #expect(event.seq == seq)
                break
            }
            #expect(box.launcher.state.withLock { $0.cleaned.isEmpty })
        }
    }

    @Test func anEndThatCannotBeWrittenIsWrittenLater() async throws {
        try await Box.with { box in
            let id = try await box.create()
            try await box.registry.makeUnwritable(true)
            try box.worker(id).end(code: 0)
            try await eventually("the end to be known") {
                await box.supervisor.knowsEnd(of: id) ? true : nil
            }
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await box.record(id).lifecycle == .running)
            try await box.registry.makeUnwritable(false)
            try await eventually("it to be written") {
                await box.tick()
                return try await box.record(id).lifecycle == .parked ? true : nil
            }
        }
    }
}
