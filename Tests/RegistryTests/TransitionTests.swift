import Foundation
import SessionCore
import Testing

@testable import Registry

struct TransitionTests {
    @Test func aTransitionHoldsOnlyFromTheExpectedStateAndIncarnation() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let id = try await registry.make(alice).id
            func move(
                _ from: Set<Lifecycle>, _ incarnation: Int, _ to: Lifecycle
            ) async throws -> SessionRecord? {
                try await registry.transition(
                    id, SessionTransition(from: from, incarnation: incarnation, to: to, actor: "t"))
            }
            #expect(try await move([.running], 1, .parking) == nil)
            #expect(try await move([.starting], 2, .running) == nil)
            #expect(try await move([.starting], 1, .running)?.lifecycle == .running)
            #expect(try await move([.starting], 1, .running) == nil)
            #expect(
                try await registry.transition(
                    SessionID(), SessionTransition(from: [.running], incarnation: 1, to: .parked, actor: "t")) == nil)
            #expect(try await registry.transitions(of: id).map(\.to) == [.queued, .starting, .running])
        }
    }

    @Test func oneOfManyRacersWins() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let id = try await registry.make(alice).id
            for round in 1...5 {
                let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for racer in 0..<30 {
                        group.addTask {
                            var changes = SessionChanges()
                            changes.incarnation = round + 1
                            return try await registry.transition(
                                id,
                                SessionTransition(
                                    from: [.starting], incarnation: round, to: .starting, actor: "\(racer)",
                                    changes: changes)) != nil
                        }
                    }
                    return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(winners == 1)
            }
            #expect(try await registry.session(id)?.incarnation == 6)
            #expect(try await registry.transitions(of: id).count == 7)
        }
    }

    @Test func numbersRiseAndAreKept() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let id = try await registry.make(alice).id
            func move(_ from: Lifecycle, _ to: Lifecycle, last: UInt64?, numbered: Bool) async throws -> UInt64? {
                try await registry.transition(
                    id,
                    SessionTransition(
                        from: [from], incarnation: 1, to: to, actor: "t", lastSequence: last, takesNumber: numbered)
                )?.lastSequence
            }
            #expect(try await move(.starting, .running, last: nil, numbered: false) == 2)
            #expect(try await move(.running, .parked, last: 40, numbered: true) == 41)
            // A stale figure never takes the numbers back.
            #expect(try await move(.parked, .starting, last: 7, numbered: true) == 42)
            #expect(try await registry.transitions(of: id).map(\.seq) == [1, 2, nil, 41, 42])
            #expect(try await registry.update(id, SessionChanges(), lastSequence: 3)?.lastSequence == 42)
        }
    }

    @Test func changesAreWrittenWithTheTransition() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let session = try await registry.make(alice)
            var changes = SessionChanges()
            changes.worker = (pid: 77, startTime: 123_456)
            changes.startedAt = Date(timeIntervalSince1970: 1_900_000_000)
            changes.limits = []
            changes.cgroups = ["pids": "/sys/fs/cgroup/pids/y"]
            let running = try await registry.transition(
                session.id,
                SessionTransition(from: [.starting], incarnation: 1, to: .running, actor: "t", changes: changes))
            #expect(running?.workerPID == 77)
            #expect(running?.workerStartTime == 123_456)
            #expect(running?.startedAt == changes.startedAt)
            #expect(running?.cgroups == changes.cgroups)

            var gone = SessionChanges()
            gone.worker = .some(nil)
            let parked = try await registry.transition(
                session.id,
                SessionTransition(
                    from: [.running], incarnation: 1, to: .parked, desired: .parked, reason: .oom, detail: "2 kills",
                    actor: "supervisor", changes: gone))
            #expect(parked?.workerPID == nil)
            #expect(parked?.startedAt == changes.startedAt)
            #expect(parked?.reason == .oom)
            #expect(parked?.detail == "2 kills")
            #expect(parked?.desired == .parked)
            #expect(try await registry.session(session.id) == parked)
        }
    }

    @Test func anUpdateOfADeletedSessionDoesNothing() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let id = try await registry.make(alice).id
            var changes = SessionChanges()
            changes.name = "renamed"
            changes.pinned = true
            let updated = try await registry.intend(.deleted, for: id, in: 1, changes)
            #expect(updated?.name == "renamed")
            #expect(updated?.pinned == true)
            #expect(try await registry.sessionsToDelete().map(\.id) == [id])
            _ = try await registry.transition(
                id, SessionTransition(from: [.starting], incarnation: 1, to: .deleted, actor: "t"))
            #expect(try await registry.update(id, changes) == nil)
            #expect(try await registry.intend(.running, for: id, in: 1) == nil)
            #expect(try await registry.sessionsToDelete().isEmpty)
        }
    }

    @Test func anIntentIsForTheIncarnationThatItWasDecidedAbout() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let id = try await registry.make(alice).id
            var changes = SessionChanges()
            changes.incarnation = 2
            _ = try await registry.transition(
                id,
                SessionTransition(
                    from: [.starting], incarnation: 1, to: .running, desired: .running, actor: "t", changes: changes))
            #expect(try await registry.intend(.parked, for: id, in: 1) == nil)
            #expect(try await registry.session(id)?.desired == .running)
            #expect(try await registry.intend(.parked, for: id, in: 2)?.desired == .parked)
            // What is to be deleted is wanted by nobody any more.
            #expect(try await registry.intend(.deleted, for: id, in: 2)?.desired == .deleted)
            #expect(try await registry.intend(.running, for: id, in: 2) == nil)
            #expect(try await registry.session(id)?.desired == .deleted)
        }
    }
}
