import Foundation
import Testing

@testable import Gateway

/// Whose turn it is.
@Suite struct FairShareTests {
    private static let sessions = (0..<4).map { _ in UUID() }

    private func come(_ share: inout FairShare, _ tenant: Int64, _ session: UUID) throws -> FairShare.Ticket {
        let ticket = share.arrive(tenant, session, at: 0)
        return try #require(ticket)
    }

    /// Lets everybody run for one step at a time and says which tenants went, in order.
    private func order(_ share: inout FairShare, steps: Int, tenants: [FairShare.Ticket: Int64]) -> [Int64] {
        var order: [Int64] = []
        var running = share.admit(at: 0)
        for _ in 0..<steps where !running.isEmpty {
            let first = running.removeFirst()
            order.append(tenants[first] ?? -1)
            share.leave(first)
            running += share.admit(at: 0)
        }
        return order
    }

    @Test func aTenantWithAThousandRequestsTakesNoMoreFromAnotherThanOneWithTen() throws {
        var share = FairShare(SharingLimits(concurrent: 4, perTenant: 4, waiting: 2000))
        var tenants: [FairShare.Ticket: Int64] = [:]
        for _ in 0..<1000 { tenants[try come(&share, 1, Self.sessions[0])] = 1 }
        let first = share.admit(at: 0)
        #expect(first.map { tenants[$0] } == [1, 1, 1, 1])
        for _ in 0..<10 { tenants[try come(&share, 2, Self.sessions[1])] = 2 }
        // No place is taken away, and each that becomes free goes to whoever has fewer.
        #expect(share.admit(at: 0).isEmpty)
        share.leave(first[0])
        #expect(share.admit(at: 0).map { tenants[$0] } == [2])
        share.leave(first[1])
        #expect(share.admit(at: 0).map { tenants[$0] } == [2])
        share.leave(first[2])
        #expect(share.admit(at: 0).count == 1)
        #expect(share.running == 4)
    }

    @Test func withOnePlaceTenantsTakeTurns() throws {
        var share = FairShare(SharingLimits(concurrent: 1, perTenant: 1))
        var tenants: [FairShare.Ticket: Int64] = [:]
        for tenant in [1, 1, 1, 1, 2, 2, 3] as [Int64] {
            tenants[try come(&share, tenant, Self.sessions[0])] = tenant
        }
        let order = order(&share, steps: 7, tenants: tenants)
        #expect(Set(order.prefix(3)) == [1, 2, 3])
        #expect(Set(order[3..<5]) == [1, 2])
        #expect(order.suffix(2) == [1, 1])
        #expect(share.running == 0)
        #expect(share.waiting == 0)
    }

    @Test func withinATenantSessionsShareToo() throws {
        var share = FairShare(SharingLimits(concurrent: 2, perTenant: 2))
        var sessions: [FairShare.Ticket: Int] = [:]
        for session in [0, 0, 0, 0, 1] {
            sessions[try come(&share, 1, Self.sessions[session])] = session
        }
        let running = share.admit(at: 0)
        #expect(running.map { sessions[$0] } == [0, 1])
        share.leave(running[1])
        #expect(share.admit(at: 0).map { sessions[$0] } == [0])
    }

    @Test func aTenantsOwnLimitsHoldWhileThereIsRoom() throws {
        var share = FairShare(SharingLimits(concurrent: 10, perTenant: 2, waiting: 3))
        for _ in 0..<3 { _ = try come(&share, 1, Self.sessions[0]) }
        let fourth = share.arrive(1, Self.sessions[0], at: 0)
        #expect(fourth == nil)
        #expect(share.admit(at: 0).count == 2)
        _ = try come(&share, 1, Self.sessions[0])
        #expect(share.admit(at: 0).isEmpty)
        _ = try come(&share, 2, Self.sessions[1])
        #expect(share.admit(at: 0).count == 1)
    }

    @Test func aRateLetsAMinutesWorthGoAtOnceAndThenOneAfterAnother() throws {
        var share = FairShare(SharingLimits(concurrent: 100, perTenant: 100, perMinute: 6))
        for _ in 0..<9 { _ = share.arrive(1, Self.sessions[0], at: 0) }
        #expect(share.admit(at: 0).count == 6)
        #expect(share.wait(at: 0) == 10)
        #expect(share.admit(at: 9.9).isEmpty)
        #expect(share.admit(at: 10.1).count == 1)
        // Another tenant has a rate of its own.
        _ = share.arrive(2, Self.sessions[1], at: 10.1)
        #expect(share.admit(at: 10.1).count == 1)
        #expect(share.admit(at: 40).count == 2)
        #expect(share.wait(at: 40) == nil)
    }

    @Test func whoeverLeavesTheQueueIsForgotten() throws {
        var share = FairShare(SharingLimits(concurrent: 1, perTenant: 1))
        let first = try come(&share, 1, Self.sessions[0])
        let second = try come(&share, 1, Self.sessions[0])
        let third = try come(&share, 1, Self.sessions[0])
        #expect(share.admit(at: 0) == [first])
        share.leave(second)
        share.leave(second)
        share.leave(first)
        #expect(share.admit(at: 0) == [third])
        #expect(share.running == 1)
    }

    @Test func theTurnstileServesEachInItsTurnAndForgetsWhoGaveUp() async throws {
        let turnstile = Turnstile(SharingLimits(concurrent: 1, perTenant: 1, patience: .milliseconds(300)))
        let session = UUID()
        let first = try await turnstile.enter(1, session)
        let cancelled = Task { try await turnstile.enter(1, session) }
        try await eventually { turnstile.counts.waiting == 1 }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        await #expect(throws: Refusal.self) { try await turnstile.enter(1, session) }
        #expect(turnstile.counts.waiting == 0)
        let next = Task { try await turnstile.enter(2, session) }
        try await eventually { turnstile.counts.waiting == 1 }
        turnstile.leave(first)
        turnstile.leave(try await next.value)
        #expect(turnstile.counts.running == 0)
        #expect(turnstile.counts.waiting == 0)
        // Many at once, each once.
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    guard let ticket = try? await turnstile.enter(3, session) else { return false }
                    turnstile.leave(ticket)
                    return true
                }
            }
            #expect(await group.allSatisfy { $0 })
        }
        #expect(turnstile.counts.running == 0)
        #expect(turnstile.counts.waiting == 0)
    }
}
