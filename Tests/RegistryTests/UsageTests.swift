import Foundation
import Registry
import SessionCore
import Testing

@Suite struct UsageTests {
    private static let time = Date(timeIntervalSince1970: 1_790_000_000)

    private func request(
        _ session: SessionID, id: UUID = UUID(), name: String? = nil, outcome: String = "complete", input: Int64 = 10,
        output: Int64 = 1, model: String = "m", at time: Date = time
    ) -> LoggedRequest {
        LoggedRequest(
            id: id, sessionID: session, method: "POST", path: "/v1/messages", outcome: outcome, model: model,
            status: 200, requestID: name,
            tokens: TokenCounts(input: input, output: output, cacheRead: 0, cacheWrite: 0, cost: input * 1000),
            startedAt: time, firstByteAt: nil, endedAt: nil)
    }

    @Test func `states of one request count once, with the last`() async throws {
        try await withRegistry { registry in
            let owner = try await registry.person("ann")
            let session = try await registry.make(owner).id
            let id = UUID()
            for (outcome, output) in [("open", 1), ("open", 1), ("complete", 50), ("complete", 50), ("cut", 50)] {
                let unknown = try await registry.book([
                    request(session, id: id, name: "r1", outcome: outcome, output: Int64(output))
                ])
                #expect(unknown.isEmpty)
            }
            let sums = try await registry.usage(UsageQuery(), visibleTo: owner)
            #expect(sums.map(\.requests) == [1])
            #expect(sums.first?.tokens == TokenCounts(input: 10, output: 50, cacheRead: 0, cacheWrite: 0, cost: 10_000))
            let log = try await registry.requests(of: session, limit: 10, cursor: nil, visibleTo: owner)
            #expect(log.items.map(\.outcome) == ["cut"])
        }
    }

    @Test func `bodies stay with the newest requests, and go with their session`() async throws {
        try await withRegistry { registry in
            let owner = try await registry.person("ann")
            let session = try await registry.make(owner)
            let other = try await registry.make(owner).id
            let stranger = try await registry.person("bob")
            func bodies(_ number: Int) -> LoggedBodies {
                LoggedBodies(request: Data([UInt8(number)]), requestBytes: 9, answer: Data(), answerBytes: 0)
            }
            var ids: [UUID] = []
            for number in 0...SessionRegistry.mostKeptBodies {
                let id = UUID()
                ids.append(id)
                _ = try await registry.book([request(session.id, id: id)])
                try await registry.keep(bodies(number), of: id, at: Self.time.addingTimeInterval(Double(number)))
            }
            let beside = UUID()
            _ = try await registry.book([request(other, id: beside)])
            try await registry.keep(bodies(7), of: beside, at: Self.time)
            // Of what is not in the log nothing is kept.
            try await registry.keep(bodies(1), of: UUID(), at: Self.time)

            func kept(_ id: UUID, of session: SessionID, as principal: Principal) async throws -> LoggedBodies? {
                let found = try await registry.request(id, of: session, visibleTo: principal)
                return found?.bodies
            }
            #expect(try await kept(ids[0], of: session.id, as: owner) == nil)
            #expect(try await kept(ids[1], of: session.id, as: owner) == bodies(1))
            #expect(try await registry.request(ids[1], of: other, visibleTo: owner) == nil)
            #expect(try await registry.request(ids[1], of: session.id, visibleTo: stranger) == nil)
            _ = try await registry.transition(
                session.id,
                SessionTransition(
                    from: [session.lifecycle], incarnation: session.incarnation, to: .deleted, desired: .deleted,
                    actor: "ann"))
            #expect(try await kept(ids[1], of: session.id, as: owner) == nil)
            #expect(try await kept(beside, of: other, as: owner) == bodies(7))
            try await registry.keep(bodies(2), of: ids[2], at: Self.time)
            #expect(try await kept(ids[2], of: session.id, as: owner) == nil)
        }
    }

    @Test func `what comes twice under the API's name counts once`() async throws {
        try await withRegistry { registry in
            let owner = try await registry.person("ann")
            let session = try await registry.make(owner).id
            let other = try await registry.make(owner).id
            _ = try await registry.book([request(session, name: "r1"), request(session, name: "r1")])
            _ = try await registry.book([request(session, name: "r1"), request(other, name: "r1")])
            let rows = try await registry.usage(UsageQuery(groups: [.session]), visibleTo: owner)
            #expect(rows.map(\.tokens.input) == [10, 10])
        }
    }

    @Test func `retries that the API answered count each`() async throws {
        try await withRegistry { registry in
            let owner = try await registry.person("ann")
            let session = try await registry.make(owner).id
            _ = try await registry.book([request(session, name: "r1", outcome: "cut"), request(session, name: "r2")])
            let rows = try await registry.usage(UsageQuery(sessionID: session), visibleTo: owner)
            #expect(rows.first?.tokens.input == 20)
            #expect(rows.first?.requests == 2)
        }
    }

    @Test func `usage is told apart by day, tenant, user, session and model`() async throws {
        try await withRegistry { registry in
            let ann = try await registry.person("ann", in: "north")
            let bob = try await registry.person("bob", in: "south")
            let first = try await registry.make(ann).id
            let second = try await registry.make(bob).id
            _ = try await registry.book([
                request(first, model: "a"), request(first, model: "b"),
                request(first, model: "a", at: Self.time.addingTimeInterval(86_400)), request(second, model: "a"),
            ])
            let boss = try await registry.person("root", role: .operator)
            func keys(_ groups: [UsageKey], _ principal: Principal) async throws -> [String] {
                try await registry.usage(UsageQuery(groups: groups), visibleTo: principal).map { row in
                    [row.day, row.tenant, row.user, row.model].compactMap { $0 }.joined(separator: " ")
                        + " \(row.tokens.input)"
                }
            }
            #expect(try await keys([.tenant], boss) == ["north 30", "south 10"])
            #expect(try await keys([.day], ann) == ["2026-09-21 20", "2026-09-22 10"])
            #expect(try await keys([.user, .model], boss) == ["ann a 20", "ann b 10", "bob a 10"])
            let one = try await registry.usage(
                UsageQuery(since: "2026-09-22", until: "2026-09-22"), visibleTo: ann)
            #expect(one.first?.tokens.input == 10)
            await #expect(throws: RegistryError.self) {
                try await registry.usage(UsageQuery(since: "yesterday"), visibleTo: ann)
            }
        }
    }

    @Test(
        arguments: [(Role.operator, 30), (.admin, 20), (.viewer, 20), (.approver, 20), (.user, 10)] as [(Role, Int64)])
    func `a caller sees the usage of what it may see`(role: Role, input: Int64) async throws {
        try await withRegistry { registry in
            let ann = try await registry.person("ann", in: "north")
            let eve = try await registry.person("eve", in: "north")
            let bob = try await registry.person("bob", in: "south")
            for owner in [ann, eve, bob] { _ = try await registry.book([request(try await registry.make(owner).id)]) }
            let caller = try await registry.person("ann", in: "north", role: role)
            #expect(try await registry.usage(UsageQuery(), visibleTo: caller).first?.tokens.input == input)
        }
    }

    @Test func `a request of no session is not booked, those beside it are`() async throws {
        try await withRegistry { registry in
            let owner = try await registry.person("ann")
            let session = try await registry.make(owner).id
            let stray = request(SessionID())
            #expect(try await registry.book([stray, request(session)]) == [stray.id])
            #expect(try await registry.usage(UsageQuery(), visibleTo: owner).first?.requests == 1)
        }
    }

    @Test func `what was open at the end of a supervisor keeps what it had used`() async throws {
        let directory = try ScratchDirectory()
        let session = SessionID()
        do {
            let registry = try SessionRegistry(directory: directory.path)
            let owner = try await registry.person("ann")
            try await registry.make(owner, id: session)
            _ = try await registry.book([request(session, outcome: "open")])
        }
        let registry = try SessionRegistry(directory: directory.path)
        let owner = try await registry.person("ann")
        #expect(try await registry.closeInterruptedRequests() == 1)
        #expect(try await registry.closeInterruptedRequests() == 0)
        let log = try await registry.requests(of: session, limit: 10, cursor: nil, visibleTo: owner)
        #expect(log.items.map(\.outcome) == ["interrupted"])
        #expect(try await registry.usage(UsageQuery(), visibleTo: owner).first?.tokens.input == 10)
    }

    @Test func `the log is paged and forgotten, the accounts stay`() async throws {
        try await withRegistry { registry in
            let owner = try await registry.person("ann")
            let session = try await registry.make(owner).id
            _ = try await registry.book(
                (0..<25).map { request(session, at: Self.time.addingTimeInterval(Double($0 / 2))) })
            var seen: [UUID] = []
            var cursor: String?
            repeat {
                let page = try await registry.requests(of: session, limit: 10, cursor: cursor, visibleTo: owner)
                seen += page.items.map(\.id)
                cursor = page.nextCursor
            } while cursor != nil
            #expect(seen.count == 25)
            #expect(Set(seen).count == 25)
            try await registry.forgetRequests(before: Self.time.addingTimeInterval(3), keeping: 12)
            let left = try await registry.requests(of: session, limit: 100, cursor: nil, visibleTo: owner)
            #expect(left.items.map(\.id) == Array(seen.prefix(12)))
            #expect(try await registry.usage(UsageQuery(), visibleTo: owner).first?.requests == 25)
        }
    }
}
