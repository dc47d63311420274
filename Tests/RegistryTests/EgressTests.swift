import Foundation
import Policy
import Registry
import SessionCore
import Testing

@Suite struct EgressTests {
    private static let time = Date(timeIntervalSince1970: 1_790_000_000)

    private func moved(_ id: SessionID, _ day: String, sent: Int64 = 0, received: Int64 = 0) -> EgressDayRecord {
        EgressDayRecord(sessionID: id, day: day, sent: sent, received: received, connections: 1)
    }

    @Test func `bytes add up by session, tenant and day`() async throws {
        try await withRegistry { registry in
            let owner = try await registry.person("ann")
            let (one, two) = (try await registry.make(owner).id, try await registry.make(owner).id)
            try await registry.bookEgress([
                moved(one, "2026-11-24", sent: 1000), moved(one, "2026-11-25", sent: 3, received: 4),
                moved(two, "2026-11-25", received: 10), moved(SessionID(), "2026-11-25", sent: 99),
            ])
            try await registry.bookEgress([moved(one, "2026-11-25", sent: 1)])
            let booked = try await registry.egressBooked(of: one, tenant: owner.tenantID, day: "2026-11-25")
            #expect(booked.session == 8)
            #expect(booked.tenant == 18)
            let days = try await registry.egressDays(of: one, limit: 10)
            #expect(days.map(\.day) == ["2026-11-25", "2026-11-24"])
            #expect(days.first?.connections == 2)
        }
    }

    @Test func `a session's own list comes back as it was`() async throws {
        try await withRegistry { registry in
            let owner = try await registry.person("ann")
            var record = SessionRecord.sample(SessionID(), owner: owner)
            record.egress = [EgressTarget(host: "pypi.org"), EgressTarget(host: "a.example", ports: [22], tls: false)]
            _ = try await registry.insert(record, idempotency: nil, actor: owner.name)
            #expect(try await registry.session(record.id, visibleTo: owner)?.egress == record.egress)
            let other = try await registry.make(owner)
            #expect(try await registry.session(other.id, visibleTo: owner)?.egress == nil)
        }
    }

    @Test func `refusals of a kind are one, and only the newest kinds are kept`() async throws {
        try await withRegistry { registry in
            let owner = try await registry.person("ann")
            let id = try await registry.make(owner).id
            func refuse(_ target: String, count: Int64, at seconds: Double) async throws {
                let time = Self.time + seconds
                try await registry.recordEgressRefusal(
                    EgressRefusalRecord(
                        target: target, reason: "policy", detail: "no", count: count, firstAt: time, lastAt: time),
                    of: id)
            }
            for index in 0..<SessionRegistry.mostEgressRefusals {
                try await refuse("h\(index):443", count: 1, at: Double(index))
            }
            try await refuse("h0:443", count: 5, at: 1000)
            try await refuse("new:443", count: 1, at: 1001)
            let refusals = try await registry.egressRefusals(of: id)
            #expect(refusals.count == SessionRegistry.mostEgressRefusals)
            #expect(refusals.prefix(2).map(\.target) == ["new:443", "h0:443"])
            #expect(refusals.dropFirst().first?.count == 6)
            #expect(refusals.dropFirst().first?.firstAt == Self.time)
            #expect(!refusals.contains { $0.target == "h1:443" })
        }
    }
}
