import Foundation
import Policy
import Registry
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

struct ReapTests {
    static func settings(lifetime: TimeSpan? = nil) -> Box.Settings {
        var settings = Box.Settings()
        settings.policy.idle.timeout = .minutes(20)
        settings.policy.idle.maxLifetime = lifetime
        return settings
    }

    @Test func anIdleSessionIsWarnedOnceAndThenParked() async throws {
        try await Box.with(Self.settings()) { box in
            let id = try await box.create()
            let worker = try box.worker(id)
            box.clock.advance(18 * 60)
            await box.tick()
            #expect(!worker.recorded.contains(.sessionReapWarning))
            box.clock.advance(70)
            await box.tick()
            await box.tick()
            #expect(worker.recorded.filter { $0 == .sessionReapWarning }.count == 1)
            #expect(try await box.record(id).lifecycle == .running)
            box.clock.advance(60)
            await box.tick()
            let record = try await box.record(id)
            #expect(record.lifecycle == .parked)
            #expect(record.reason == .idle)
            #expect(worker.recorded.last == .sessionParking)
            #expect(worker.state.withLock { $0.stops } == [0.1])
        }
    }

    @Test func workAndOpenQuestionsAreNeverIdle() async throws {
        try await Box.with(Self.settings()) { box in
            for activity in [Activity.working, .pending] {
                let id = try await box.create()
                try box.worker(id).become(activity, since: .distantPast)
                box.clock.advance(86_400)
                await box.tick()
                #expect(try await box.record(id).lifecycle == .running)
                #expect(try await box.supervisor.session(id, as: box.alice).parksAt == nil)
            }
        }
    }

    @Test func whatWentStraightToTheWorkerKeepsItAwake() async throws {
        try await Box.with(Self.settings()) { box in
            let id = try await box.create()
            box.clock.advance(19.5 * 60)
            // Keystrokes over a WebSocket: the supervisor was not told.
            let now = box.clock.now
            try box.worker(id).state.withLock { $0.status.lastInput = now }
            box.clock.advance(60)
            await box.tick()
            #expect(try await box.record(id).lifecycle == .running)
            #expect(try !box.worker(id).recorded.contains(.sessionReapWarning))
        }
    }

    @Test func pinnedSessionsStayAndLifetimesEnd() async throws {
        try await Box.with(Self.settings(lifetime: .hours(8))) { box in
            let id = try await box.create()
            _ = try await box.supervisor.update(id, SessionPatch(pinned: true), by: box.alice)
            box.clock.advance(7 * 3600)
            await box.tick()
            #expect(try await box.record(id).lifecycle == .running)
            try box.worker(id).become(.working)
            box.clock.advance(3601)
            await box.tick()
            #expect(try await box.record(id).reason == .maxLifetime)
        }
    }

    @Test func aSilentWorkerIsNotParkedOnOldNews() async throws {
        try await Box.with(Self.settings()) { box in
            let id = try await box.create()
            try box.worker(id).state.withLock { $0.isSilent = true }
            box.clock.advance(3600)
            await box.tick()
            let view = try await box.supervisor.session(id, as: box.alice)
            #expect(view.record.lifecycle == .running)
            #expect(view.unresponsive)
        }
    }

    @Test func theReaperRunsByItself() async throws {
        var settings = Self.settings()
        settings.policy.idle.timeout = TimeSpan(milliseconds: 3000)
        settings.tick = .milliseconds(20)
        try await Box.with(settings) { box in
            let id = try await box.create()
            let worker = try box.worker(id)
            #expect(try await box.waitFor(id, .parked).reason == .idle)
            #expect(worker.recorded.contains(.sessionReapWarning))
        }
    }

    @Test func theReportListsEverySignal() async throws {
        try await Box.with(Self.settings()) { box in
            let id = try await box.create()
            let report = try await box.supervisor.idle(id, as: box.alice)
            #expect(
                Set(report.signals.map(\.name))
                    == [
                        "activity", "last_input", "last_output", "started", "background_shell", "attached_clients",
                        "pinned",
                    ])
            #expect(report.idleTimeout == .minutes(20))
            let parksAt = try #require(report.parksAt)
            #expect(abs(parksAt.timeIntervalSince(box.clock.now) - 1200) < 30)
            #expect(report.warnsAt == parksAt.addingTimeInterval(-60))
            _ = try await box.supervisor.park(id, by: box.alice)
            let parked = try await box.supervisor.idle(id, as: box.alice)
            #expect(parked.parksAt == nil)
        }
    }
}
