import Foundation
import SessionCore
import Testing

@testable import Registry

struct SessionTests {
    @Test func aSessionComesBackAsItWasStored() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice", in: "red")
            let time = Date(timeIntervalSince1970: 1_900_000_000.25)
            let made = try await registry.make(alice, at: time, labels: ["team": "a'b"])
            #expect(made.lifecycle == .starting)
            #expect(made.lastSequence == 2)
            #expect(made.tenant == "red")
            #expect(made.owner == "alice")

            var expected = SessionRecord.sample(made.id, owner: alice, at: time, labels: ["team": "a'b"])
            expected.lifecycle = .starting
            expected.lastSequence = 2
            expected.tenant = "red"
            #expect(try await registry.session(made.id, visibleTo: alice) == expected)

            let history = try await registry.transitions(of: made.id)
            #expect(history.map(\.to) == [.queued, .starting])
            #expect(history.map(\.seq) == [1, 2])
            #expect(history.map(\.actor) == ["alice", "alice"])
        }
    }

    @Test func everyRoleSeesWhatItMay() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice", in: "red")
            let bob = try await registry.person("bob", in: "red")
            let eve = try await registry.person("eve", in: "blue")
            let session = try await registry.make(alice)
            try await registry.make(eve)

            func role(_ principal: Principal, _ role: Role) -> Principal {
                var copy = principal
                copy.role = role
                return copy
            }
            let table: [(Principal, sees: Bool, changes: Bool)] = [
                (role(alice, .user), true, true), (role(bob, .user), false, false),
                (role(bob, .viewer), true, false), (role(bob, .approver), true, false),
                (role(bob, .admin), true, true), (role(bob, .operator), true, true),
                (role(eve, .user), false, false), (role(eve, .viewer), false, false),
                (role(eve, .admin), false, false), (role(eve, .operator), true, true),
            ]
            for (principal, sees, changes) in table {
                let label = Comment(rawValue: "\(principal.name) as \(principal.role)")
                let found = try await registry.session(session.id, visibleTo: principal)
                #expect((found != nil) == sees, label)
                let listed = try await registry.sessions(SessionQuery(), visibleTo: principal).items
                #expect(listed.contains { $0.id == session.id } == sees, label)
                #expect(principal.maySee(session) == sees, label)
                #expect(principal.mayChange(session) == changes, label)
            }
        }
    }

    @Test func pagesCoverEverythingOnceEvenWhenTimesAreEqual() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let time = Date(timeIntervalSince1970: 1_900_000_000)
            var made: Set<SessionID> = []
            for index in 0..<23 {
                made.insert(try await registry.make(alice, at: time.addingTimeInterval(Double(index / 4))).id)
            }
            var seen: [SessionID] = []
            var cursor: String?
            repeat {
                let page = try await registry.sessions(SessionQuery(limit: 5, cursor: cursor), visibleTo: alice)
                seen += page.items.map(\.id)
                cursor = page.nextCursor
                // A session that appears while somebody pages must not shift the pages.
                if seen.count == 5 { try await registry.make(alice, at: time.addingTimeInterval(100)) }
            } while cursor != nil
            #expect(seen.count == 23)
            #expect(Set(seen) == made)
        }
    }

    @Test(arguments: ["", "x", "djE6MTIz", "djE6eDp5", "////", String(repeating: "A", count: 5000), "djI6MTox"])
    func aBadCursorIsInvalid(_ cursor: String) async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            do throws(RegistryError) {
                _ = try await registry.sessions(SessionQuery(cursor: cursor), visibleTo: alice)
                Issue.record("it was accepted")
            } catch {
                guard case .invalid = error else {
                    Issue.record("\(error)")
                    return
                }
            }
        }
    }

    @Test func filtersNarrowTheList() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let red = try await registry.make(alice, labels: ["team": "red", "n": "1"])
            let blue = try await registry.make(alice, labels: ["team": "blue"])
            _ = try await registry.transition(
                blue.id, SessionTransition(from: [.starting], incarnation: 1, to: .running, actor: "t"))
            func ids(_ query: SessionQuery) async throws -> [SessionID] {
                try await registry.sessions(query, visibleTo: alice).items.map(\.id)
            }
            #expect(try await ids(SessionQuery(labelKey: "team", labelValue: "red")) == [red.id])
            #expect(try await ids(SessionQuery(labelKey: "\"]' OR 1", labelValue: "x")) == [])
            #expect(try await ids(SessionQuery(lifecycle: .running)) == [blue.id])
            #expect(try await ids(SessionQuery(ids: [red.id])) == [red.id])
            #expect(try await ids(SessionQuery(ids: [])) == [])
            await #expect(throws: RegistryError.invalid("limit must be 1 to 200")) {
                try await registry.sessions(SessionQuery(limit: 0), visibleTo: alice)
            }
        }
    }

    @Test func theSameIdempotencyKeyGivesTheSameSession() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let bob = try await registry.person("bob")
            let key = IdempotencyKey(key: "once", body: Data("a".utf8))
            let time = Date(timeIntervalSince1970: 1_900_000_000)
            let first = try await registry.make(alice, at: time, key: key)

            func insert(_ owner: Principal, _ key: IdempotencyKey, after: TimeInterval = 1) async throws -> SessionID? {
                let record = SessionRecord.sample(SessionID(), owner: owner, at: time.addingTimeInterval(after))
                guard case .repeated(let id) = try await registry.insert(record, idempotency: key, actor: "t") else {
                    return nil
                }
                return id
            }
            #expect(try await insert(alice, key) == first.id)
            await #expect(throws: RegistryError.keyReused) {
                try await insert(alice, IdempotencyKey(key: "once", body: Data("b".utf8)))
            }
            // Keys belong to their caller, and are forgotten after a day.
            #expect(try await insert(bob, key) == nil)
            #expect(try await insert(alice, key, after: SessionRegistry.idempotencyLifetime + 2) == nil)
            await #expect(throws: RegistryError.self) { try await insert(alice, IdempotencyKey(key: "", body: Data())) }
        }
    }

    @Test func anIdIsUsedOnce() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let session = try await registry.make(alice)
            await #expect(throws: RegistryError.self) { try await registry.make(alice, id: session.id) }
            _ = try await registry.transition(
                session.id, SessionTransition(from: [.starting], incarnation: 1, to: .deleted, actor: "t"))
            #expect(try await registry.session(session.id, visibleTo: alice) == nil)
            await #expect(throws: RegistryError.self) { try await registry.make(alice, id: session.id) }
        }
    }

    @Test func uidSlotsAreHeldUntilTheDirectoriesAreGone() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            var sessions: [SessionRecord] = []
            for _ in 0..<4 { sessions.append(try await registry.make(alice)) }
            #expect(sessions.map(\.uidSlot) == [0, 1, 2, 3])
            // Deleted, but its directories are still there.
            _ = try await registry.transition(
                sessions[1].id, SessionTransition(from: [.starting], incarnation: 1, to: .deleted, actor: "t"))
            #expect(try await registry.make(alice).uidSlot == 4)
            try await registry.releaseSlot(of: sessions[1].id)
            #expect(try await registry.make(alice).uidSlot == 1)
            try await registry.forget(sessions[0].id)
            #expect(try await registry.session(sessions[0].id) == nil)
            #expect(try await registry.make(alice).uidSlot == 0)
        }
    }

    @Test func slotsStayDistinctWhenManyAreMadeAtOnce() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let slots = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<40 { group.addTask { try await registry.make(alice).uidSlot } }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(slots == Set(0..<40))
        }
    }
}
