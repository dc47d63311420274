import Foundation
import Policy
import Registry
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

struct LifecycleTests {
    private func type(_ box: Box, _ id: SessionID, _ text: String = "hello") async throws -> UInt64 {
        try await box.supervisor.input(id, text: text, clientID: nil, submit: true, by: box.alice)
    }

    @Test func aParkedSessionWakesByInputResumeDialectAndAttach() async throws {
        try await Box.with { box in
            let id = try await box.create()
            let wakes: [(Box) async throws -> Void] = [
                { _ = try await type($0, id) },
                { _ = try await $0.supervisor.resume(id, by: $0.alice) },
                { box in
                    let answer = try await box.supervisor.dialect(id, name: "echokit", message: ["a": 1], by: box.alice)
                    #expect(answer["echo"]?["a"]?.integer == 1)
                },
                { box in
                    let path = try await box.supervisor.clientSocket(id, wake: true, by: box.alice)
                    #expect(path == "\(box.path)/w/\(id)/client.sock")
                },
            ]
            for (index, wake) in wakes.enumerated() {
                let parked = try await box.supervisor.park(id, by: box.alice)
                #expect(parked.record.lifecycle == .parked)
                #expect(parked.record.reason == .requested)
                #expect(parked.worker == nil)
                try await wake(box)
                let record = try await box.record(id)
                #expect(record.lifecycle == .running)
                #expect(record.incarnation == index + 2)
            }
        }
    }

    @Test func aStoppedSessionStartsOnlyByResume() async throws {
        try await Box.with { box in
            let id = try await box.create()
            #expect(try await box.supervisor.stop(id, by: box.alice).record.lifecycle == .stopped)
            let supervisor = box.supervisor
            for attempt: () async throws -> Void in [
                { _ = try await type(box, id) },
                { _ = try await supervisor.dialect(id, name: "echokit", message: [:], by: box.alice) },
                { _ = try await supervisor.clientSocket(id, wake: true, by: box.alice) },
                { _ = try await supervisor.clientSocket(id, wake: false, by: box.alice) },
                { try await supervisor.interrupt(id, by: box.alice) },
                { _ = try await supervisor.screen(id, format: .text, as: box.alice) },
            ] {
                #expect(await refusal(attempt)?.code == .wrongState)
            }
            // Parking a stopped session does not make it one that wakes by itself.
            #expect(try await supervisor.park(id, by: box.alice).record.lifecycle == .stopped)
            #expect(try await supervisor.resume(id, by: box.alice).record.lifecycle == .running)
            #expect(box.launcher.state.withLock { $0.launches.count } == 2)
        }
    }

    @Test func readingNeverWakes() async throws {
        try await Box.with { box in
            let id = try await box.create()
            _ = try await box.supervisor.park(id, by: box.alice)
            let supervisor = box.supervisor
            _ = try await supervisor.session(id, as: box.alice)
            _ = try await supervisor.list(SessionFilter(), as: box.alice)
            _ = try await supervisor.idle(id, as: box.alice)
            _ = try await supervisor.events(id, since: 0, as: box.alice)
            _ = try? await supervisor.screen(id, format: .text, as: box.alice)
            _ = try? await supervisor.stats(id, as: box.alice)
            _ = try? await supervisor.interrupt(id, by: box.alice)
            _ = try? await supervisor.clientSocket(id, wake: false, by: box.alice)
            await box.tick()
            #expect(try await box.record(id).lifecycle == .parked)
            #expect(box.launcher.state.withLock { $0.launches.count } == 1)
        }
    }

    @Test func stopParkResumeAndAParkedStopAreIdempotent() async throws {
        try await Box.with { box in
            let id = try await box.create()
            #expect(try await box.supervisor.resume(id, by: box.alice).record.incarnation == 1)
            _ = try await box.supervisor.park(id, by: box.alice)
            _ = try await box.supervisor.park(id, by: box.alice)
            _ = try await box.supervisor.stop(id, by: box.alice)
            let stopped = try await box.supervisor.stop(id, by: box.alice)
            #expect(stopped.record.lifecycle == .stopped)
            #expect(stopped.record.desired == .stopped)
            let history = try await box.registry.transitions(of: id).map(\.to)
            #expect(history == [.queued, .starting, .running, .parking, .parked, .stopped])
        }
    }

    @Test func opposingCallsAtOnceLeaveOneClearState() async throws {
        try await Box.with { box in
            let id = try await box.create()
            await withTaskGroup(of: Void.self) { group in
                for index in 0..<24 {
                    group.addTask {
                        switch index % 4 {
                        case 0: _ = try? await box.supervisor.stop(id, by: box.alice)
                        case 1: _ = try? await box.supervisor.resume(id, by: box.alice)
                        case 2: _ = try? await box.supervisor.park(id, by: box.alice)
                        default: _ = try? await type(box, id)
                        }
                    }
                }
            }
            let record = try await box.record(id)
            #expect([.running, .parked, .stopped].contains(record.lifecycle))
            // Every incarnation was launched once, and all but a running one were cleaned.
            let launches = box.launcher.state.withLock { $0.launches.map(\.incarnation) }
            #expect(launches == Array(1...record.incarnation))
            let cleaned = box.launcher.state.withLock { $0.cleaned.count }
            #expect(cleaned == (record.lifecycle == .running ? record.incarnation - 1 : record.incarnation))
            // Numbers were never used twice.
            let firsts = box.launcher.state.withLock { $0.launches.map(\.firstSequence) }
            #expect(firsts == firsts.sorted() && Set(firsts).count == firsts.count)
        }
    }

    @Test func aWorkerThatIgnoresTheStopIsEndedByTheLauncher() async throws {
        try await Box.with { box in
            let id = try await box.create()
            try box.worker(id).state.withLock { $0.ignoresStop = true }
            #expect(try await box.supervisor.stop(id, by: box.alice).record.lifecycle == .stopped)
            #expect(box.launcher.state.withLock { $0.cleaned } == [id])
        }
    }

    @Test func aWorkerThatDoesNotAnswerIsSaidToBeUnresponsiveAndCanBeStopped() async throws {
        try await Box.with { box in
            let id = try await box.create()
            try box.worker(id).state.withLock { $0.isSilent = true }
            let view = try await box.supervisor.session(id, as: box.alice)
            #expect(view.unresponsive)
            #expect(view.worker == nil)
            #expect(view.record.lifecycle == .running)
            #expect(await refusal { _ = try await type(box, id) }?.code == .unresponsive)
            #expect(try await box.supervisor.stop(id, by: box.alice).record.lifecycle == .stopped)
        }
    }

    @Test func aSessionWhosePolicyIsGoneDoesNotStartUnderAnother() async throws {
        try await Box.with { box in
            await box.supervisor.use(PolicyStore([SessionPolicy(name: "team")]))
            let id = try await box.create(SessionCreation(policy: "team"))
            _ = try await box.supervisor.park(id, by: box.alice)
            await box.supervisor.use(PolicyStore())
            let refusal = await refusal { _ = try await box.supervisor.resume(id, by: box.alice) }
            #expect(refusal?.code == .launchFailed)
            #expect(refusal?.detail.contains("the policy 'team'") == true)
        }
    }

    @Test func deletingEndsRemovesAndForgets() async throws {
        try await Box.with { box in
            let id = try await box.create()
            let events = try await box.supervisor.events(id, since: 0, as: box.alice)
            try await box.supervisor.delete(id, keepWorkspace: false, by: box.alice)
            #expect(await refusal { _ = try await box.record(id) }?.code == .notFound)
            #expect(
                await refusal { try await box.supervisor.delete(id, keepWorkspace: false, by: box.alice) }?.code
                    == .notFound)
            #expect(box.launcher.state.withLock { $0.removed.map(\.sessionID) } == [id])
            // What says so stays, for the day that a backup has the session still.
            #expect(await box.supervisor.manifests.isBuried(id))
            #expect(await box.supervisor.entryCount == 0)
            var types: [EventType] = []
            for await event in events { types.append(event.type) }
            #expect(types.first == .sessionCreated)
            #expect(types.last == .sessionDeleted)
            #expect(try await box.record(try await box.create()).uidSlot == 0)
        }
    }

    @Test func aDeletionThatCannotBeFinishedIsTriedAgainAndNothingWakesMeanwhile() async throws {
        try await Box.with { box in
            let id = try await box.create()
            let failure = LaunchFailure(step: "remove", errno: EBUSY, message: "busy", remedy: "wait")
            box.launcher.state.withLock { $0.failsRemove = failure }
            #expect(
                await refusal { try await box.supervisor.delete(id, keepWorkspace: false, by: box.alice) }?.code
                    == .unavailable)
            #expect(await refusal { _ = try await box.supervisor.resume(id, by: box.alice) }?.code == .wrongState)
            box.launcher.state.withLock { $0.failsRemove = nil }
            try await box.supervisor.delete(id, keepWorkspace: true, by: box.alice)
            #expect(box.launcher.state.withLock { $0.removed.last?.keepWorkspace } == true)
            // The workspace still belongs to its uids.
            #expect(try await box.record(try await box.create()).uidSlot == 1)
        }
    }

    @Test func othersSeeNothingAndViewersChangeNothing() async throws {
        try await Box.with { box in
            let id = try await box.create()
            let supervisor = box.supervisor
            for stranger in [
                try await box.someone("bob"), try await box.someone("eve", in: "other", role: .admin),
            ] {
                #expect(await refusal { _ = try await supervisor.session(id, as: stranger) }?.code == .notFound)
                #expect(await refusal { _ = try await supervisor.stop(id, by: stranger) }?.code == .notFound)
                #expect(
                    await refusal { _ = try await supervisor.events(id, since: 0, as: stranger) }?.code == .notFound)
                #expect(
                    await refusal { _ = try await supervisor.screen(id, format: .text, as: stranger) }?.code
                        == .notFound)
                #expect(try await supervisor.list(SessionFilter(), as: stranger).items.isEmpty)
            }
            let viewer = try await box.someone("vera", role: .viewer)
            #expect(try await supervisor.session(id, as: viewer).record.id == id)
            #expect(try await supervisor.clientSocket(id, wake: false, by: viewer).hasSuffix("client.sock"))
            #expect(await refusal { _ = try await supervisor.stop(id, by: viewer) }?.code == .forbidden)
            #expect(
                await refusal { _ = try await supervisor.clientSocket(id, wake: true, by: viewer) }?.code == .forbidden)
            #expect(await refusal { try await box.create(by: viewer) }?.code == .forbidden)
            #expect(await refusal { _ = try await supervisor.session(SessionID(), as: viewer) }?.code == .notFound)
        }
    }

    @Test func inputsAreAcknowledgedOnceAndRefusalsPassedOn() async throws {
        try await Box.with { box in
            let id = try await box.create()
            let first = try await box.supervisor.input(id, text: "a", clientID: "c", submit: true, by: box.alice)
            let again = try await box.supervisor.input(id, text: "a", clientID: "c", submit: true, by: box.alice)
            #expect(first == again)
            #expect(try box.worker(id).inputs == ["a"])
            try box.worker(id).state.withLock { $0.refusesInput = ("input_too_large", "too large") }
            #expect(await refusal { _ = try await type(box, id) }?.code == .invalid)
            try box.worker(id).state.withLock { $0.refusesInput = ("input_backlog", "full") }
            #expect(await refusal { _ = try await type(box, id) }?.code == .wrongState)
        }
    }

    @Test func settingsCanBeChanged() async throws {
        try await Box.with { box in
            let id = try await box.create(SessionCreation(name: "old", labels: ["a": "1"]))
            let view = try await box.supervisor.update(
                id, SessionPatch(name: "new", pinned: true, idleTimeout: .minutes(5)), by: box.alice)
            #expect(view.record.name == "new")
            #expect(view.record.labels == ["a": "1"])
            #expect(view.record.pinned)
            #expect(view.record.idleTimeout == .minutes(5))
            #expect(view.record.lifecycle == .running)
            #expect(
                await refusal {
                    _ = try await box.supervisor.update(id, SessionPatch(labels: ["": ""]), by: box.alice)
                }?.code == .invalid)
        }
    }

    @Test func aFailedResumeIsFailedAndCanBeResumed() async throws {
        try await Box.with { box in
            let id = try await box.create()
            _ = try await box.supervisor.park(id, by: box.alice)
            box.launcher.script(
                .fail(LaunchFailure(step: "mount workspace", errno: 5, message: "EIO", remedy: "see the disk")))
            let error = await refusal { _ = try await box.supervisor.resume(id, by: box.alice) }
            #expect(error?.code == .launchFailed)
            let record = try await box.record(id)
            #expect(record.lifecycle == .failed)
            #expect(record.reason == .launchFailed)
            #expect(record.detail?.contains("mount workspace") == true)
            #expect(await box.supervisor.admission.reserved.isEmpty)
            #expect(await refusal { _ = try await type(box, id) }?.code == .wrongState)
            #expect(try await box.supervisor.resume(id, by: box.alice).record.lifecycle == .running)
        }
    }

    @Test func listsFilterByActivity() async throws {
        try await Box.with { box in
            let idle = try await box.create()
            let working = try await box.create()
            let parked = try await box.create()
            _ = try await box.supervisor.park(parked, by: box.alice)
            try box.worker(working).become(.working)
            func ids(_ filter: SessionFilter) async throws -> Set<SessionID> {
                Set(try await box.supervisor.list(filter, as: box.alice).items.map(\.record.id))
            }
            try await eventually("the activity to be known") {
                try await ids(SessionFilter(activity: .working)) == [working] ? true : nil
            }
            #expect(try await ids(SessionFilter(activity: .idle)) == [idle])
            #expect(try await ids(SessionFilter(lifecycle: .parked)) == [parked])
            #expect(try await ids(SessionFilter()) == [idle, working, parked])
            #expect(await refusal { _ = try await ids(SessionFilter(cursor: "nonsense")) }?.code == .invalid)
        }
    }
}
