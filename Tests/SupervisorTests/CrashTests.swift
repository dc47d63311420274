import Foundation
import Glibc
import Registry
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

/// Workers that die, and workers that only do not answer.
struct CrashTests {
    @Test func aSessionWhoseWorkerDiesIsStartedAgainAndSaysWhy() async throws {
        try await Box.with { box in
            box.launcher.state.withLock { $0.mortal = true }
            let id = try await box.create()
            let before = try await box.record(id).lastSequence
            let begin = MonotonicTime.now
            try box.worker(id).crash()
            let record = try await eventually("the next incarnation") { () async throws -> SessionRecord? in
                let record = try await box.record(id)
                return record.lifecycle == .running && record.incarnation == 2 ? record : nil
            }
            print("a dead worker's session ran again after \(Int(MonotonicTime.now.since(begin) * 1000)) ms")
            #expect(record.desired == .running)
            #expect(box.launcher.state.withLock { $0.cleaned } == [id])
            // No number is used twice.
            #expect(box.launcher.state.withLock { $0.launches.last?.firstSequence ?? 0 } > before + (1 << 20))
            let history = try await box.registry.transitions(of: id).suffix(3)
            #expect(history.map(\.to) == [.parked, .starting, .running])
            #expect(history.map(\.reason) == [.crashed, .crashed, nil])
            #expect(history.map(\.incarnation) == [1, 2, 2])
        }
    }

    @Test func aProcessThatEndsIsNoticedThoughItsSocketStaysOpen() async throws {
        try await Box.with { box in
            box.launcher.state.withLock { $0.mortal = true }
            let id = try await box.create()
            // The process alone: somebody else holds its connection.
            kill(try box.worker(id).identity.pid, SIGKILL)
            try await eventually("the next incarnation") {
                try await box.record(id).incarnation == 2 ? true : nil
            }
        }
    }

    @Test func threeTimesInARowIsEnough() async throws {
        try await Box.with { box in
            box.launcher.state.withLock { $0.mortal = true }
            let id = try await box.create()
            for incarnation in 1...4 {
                try await eventually("incarnation \(incarnation)") {
                    let record = try await box.record(id)
                    return record.incarnation == incarnation && record.lifecycle == .running ? true : nil
                }
                try box.worker(id).crash()
            }
            let record = try await box.waitFor(id, .failed)
            #expect(record.reason == .crashed && record.incarnation == 4)
            #expect(record.detail?.contains("3 times in a row") == true)
            await box.supervisor.reconcile()
            #expect(box.launcher.state.withLock { $0.launches.count } == 4)
            // Its owner may try again, and has as many tries as before.
            #expect(try await box.supervisor.resume(id, by: box.alice).record.lifecycle == .running)
            try box.worker(id).crash()
            try await eventually("another start") { try await box.record(id).incarnation == 6 ? true : nil }
        }
    }

    @Test func aMinuteOfLifeIsNotInARow() async throws {
        try await Box.with { box in
            box.launcher.state.withLock { $0.mortal = true }
            let id = try await box.create()
            for incarnation in 1...6 {
                try await eventually("incarnation \(incarnation)") {
                    let record = try await box.record(id)
                    return record.incarnation == incarnation && record.lifecycle == .running ? true : nil
                }
                box.clock.advance(61)
                try box.worker(id).crash()
            }
            try await eventually("the seventh") { try await box.record(id).incarnation == 7 ? true : nil }
        }
    }

    @Test(arguments: [true, false]) func whoEndsASessionThatWaitsForItsStartIsObeyed(_ byPark: Bool) async throws {
        var settings = Box.Settings()
        settings.restartDelays = [.seconds(600)]
        try await Box.with(settings) { box in
            box.launcher.state.withLock { $0.mortal = true }
            let id = try await box.create()
            try box.worker(id).crash()
            try await box.waitFor(id, .parked)
            let view =
                byPark
                ? try await box.supervisor.park(id, by: box.alice) : try await box.supervisor.stop(id, by: box.alice)
            #expect(view.record.desired == (byPark ? .parked : .stopped))
            await box.supervisor.reconcile()
            #expect(box.launcher.state.withLock { $0.launches.count } == 1)
        }
    }

    @Test func anInputDoesNotWaitForTheNextTry() async throws {
        var settings = Box.Settings()
        settings.restartDelays = [.seconds(600)]
        settings.policy.idle.wakes = []
        try await Box.with(settings) { box in
            box.launcher.state.withLock { $0.mortal = true }
            let id = try await box.create()
            try box.worker(id).crash()
            try await box.waitFor(id, .parked)
            _ = try await box.supervisor.input(id, text: "x", clientID: nil, submit: true, by: box.alice)
            #expect(try await box.record(id).lifecycle == .running)
        }
    }

    @Test func aStartThatFailsIsTriedAgain() async throws {
        try await Box.with { box in
            box.launcher.state.withLock { $0.mortal = true }
            let id = try await box.create()
            let failure = LaunchFailure(step: "clone", errno: EAGAIN, message: "too many", remedy: "wait")
            box.launcher.script(.fail(failure), .fail(failure))
            try box.worker(id).crash()
            try await eventually("a start that works") {
                let record = try await box.record(id)
                return record.incarnation > 1 && record.lifecycle == .running ? true : nil
            }
            box.launcher.script(.fail(failure), .fail(failure), .fail(failure))
            box.clock.advance(61)
            try box.worker(id).crash()
            let record = try await box.waitFor(id, .failed)
            #expect(record.detail?.contains("too many") == true)
        }
    }

    @Test func aWorkerThatIsStoppedIsNotDead() async throws {
        try await Box.with { box in
            box.launcher.state.withLock { $0.mortal = true }
            let id = try await box.create()
            let worker = try box.worker(id)
            kill(worker.identity.pid, SIGSTOP)
            worker.state.withLock { $0.isMute = true }
            worker.hangUp()
            try await eventually("the flag") {
                try await box.supervisor.session(id, as: box.alice).unresponsive ? true : nil
            }
            await box.supervisor.reconcile()
            #expect(try await box.record(id).lifecycle == .running)
            kill(worker.identity.pid, SIGCONT)
            worker.state.withLock { $0.isMute = false }
            try await eventually("its answer") {
                try await box.supervisor.session(id, as: box.alice).unresponsive ? nil : true
            }
            #expect(try await box.record(id).incarnation == 1)
            #expect(box.launcher.state.withLock { $0.launches.count } == 1)
        }
    }

    @Test func whatCannotBeCleanedIsNotStartedBeside() async throws {
        try await Box.with { box in
            box.launcher.state.withLock { $0.mortal = true }
            let id = try await box.create()
            box.launcher.state.withLock { $0.failsClean = 1 }
            try box.worker(id).crash()
            try await eventually("the next incarnation") {
                try await box.record(id).incarnation == 2 ? true : nil
            }
            // Cleaned before it was launched.
            #expect(box.launcher.state.withLock { $0.cleaned }.count == 2)
        }
    }

    @Test func startsInARowAreCountedFromTheRegistry() {
        func at(_ second: TimeInterval, _ to: Lifecycle, _ reason: Reason? = nil) -> TransitionRecord {
            TransitionRecord(
                sessionID: SessionID(), incarnation: 1, from: nil, to: to, reason: reason, detail: nil, actor: "a",
                seq: nil, time: Date(timeIntervalSince1970: second))
        }
        func count(_ transitions: [TransitionRecord]) -> Int {
            RestartCount(transitions, steadyAfter: 60).inARow
        }
        let born = [at(0, .queued), at(0, .starting), at(1, .running)]
        #expect(count(born) == 0)
        let once = born + [at(5, .parked, .crashed), at(5, .starting, .crashed), at(6, .running)]
        #expect(count(once) == 1)
        #expect(count(once + [at(9, .parked, .crashed), at(9, .starting, .crashed)]) == 2)
        // It ran for more than a minute in between.
        #expect(count(once + [at(99, .parked, .crashed), at(99, .starting, .crashed)]) == 1)
        #expect(count(once + [at(9, .parked, .idle), at(50, .starting)]) == 0)
    }

    // MARK: Clocks

    @Test(arguments: [86_400.0, -86_400]) func aClockThatIsSetAgesNobody(_ seconds: TimeInterval) async throws {
        var settings = ReapTests.settings(lifetime: .hours(8))
        settings.policy.idle.freezeAfter = .minutes(5)
        try await Box.with(settings) { box in
            let old = try await box.create()
            let new = try await box.create()
            try box.worker(new).state.withLock { state in
                let now = MonotonicTime.now
                state.status.monotonic = WorkerTimes(started: now, activitySince: now)
            }
            await box.tick()
            box.clock.jump(seconds)
            for _ in 0..<2 { await box.tick() }
            for id in [old, new] {
                #expect(try await box.record(id).lifecycle == .running)
                #expect(try box.worker(id).recorded.contains(.sessionReapWarning) == false)
                #expect(try box.worker(id).state.withLock { $0.status.frozenSince } == nil)
                let report = try await box.supervisor.idle(id, as: box.alice)
                let age = try #require(report.signals.first { $0.name == "activity" }?.ageSeconds)
                #expect(age < 60)
                let parksAt = try #require(report.parksAt)
                #expect(abs(parksAt.timeIntervalSince(box.clock.now) - 1200) < 60)
            }
            // Time that really passes still counts.
            box.clock.advance(1300)
            await box.tick()
            for id in [old, new] { #expect(try await box.record(id).reason == .idle) }
        }
    }
}
