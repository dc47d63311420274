import Foundation
import Testing

@testable import Gateway

@Suite struct EgressAccountTests {
    private let second: UInt64 = 1_000_000_000
    private let day = EgressDay(number: 20_000)

    private func limits(
        connections: Int = 2, bytesPerSecond: UInt64? = nil, bytesPerDay: UInt64? = nil
    ) -> EgressAccount.Limits {
        EgressAccount.Limits(connections: connections, bytesPerSecond: bytesPerSecond, bytesPerDay: bytesPerDay)
    }

    @Test func `no more connections at once than allowed`() {
        let account = EgressAccount(day: day, bytes: 0)
        #expect(account.open(limits()) && account.open(limits()))
        #expect(!account.open(limits()))
        account.close()
        #expect(account.open(limits()))
    }

    @Test func `what was booked counts, and a new day begins at nothing`() {
        let account = EgressAccount(day: day, bytes: 90)
        let limits = limits(bytesPerDay: 100)
        #expect(!account.isSpent(limits, day: day))
        #expect(account.take(sent: 10, limits, day: day, ticks: 0, books: true) == .free)
        #expect(account.isSpent(limits, day: day))
        #expect(account.take(received: 1, limits, day: day, ticks: 0, books: true) == .spent)
        let next = EgressDay(number: day.number + 1)
        #expect(!account.isSpent(limits, day: next))
        #expect(account.take(received: 100, limits, day: next, ticks: 0, books: true) == .free)
    }

    @Test func `bytes over the rate wait for their time`() {
        let account = EgressAccount(day: day, bytes: 0)
        let limits = limits(bytesPerSecond: 1000)
        func take(_ count: Int, at seconds: Double) -> EgressAccount.Passage {
            account.take(
                sent: count, limits, day: day, ticks: UInt64(seconds * Double(second)), books: false)
        }
        #expect(take(1000, at: 5) == .free)
        #expect(take(500, at: 5) == .pause(500_000_000))
        #expect(take(500, at: 6) == .free)
        // What was not used does not add up to more than a second.
        #expect(take(2000, at: 1000) == .pause(1_000_000_000))
    }

    @Test func `what moved is booked once, by days, also when a booking fails`() {
        let account = EgressAccount(day: day, bytes: 0)
        account.opened(day: day)
        _ = account.take(sent: 3, limits(), day: day, ticks: 0, books: true)
        let taken = account.takeUnbooked()
        #expect(taken == [day: EgressAccount.Moved(sent: 3, received: 0, connections: 1)])
        #expect(account.takeUnbooked().isEmpty)
        account.putBack(taken)
        let next = EgressDay(number: day.number + 1)
        _ = account.take(received: 4, limits(), day: next, ticks: 0, books: true)
        #expect(account.takeUnbooked().keys.count == 2)
        #expect(account.isAtRest)
    }

    @Test func `days have names`() {
        #expect(EgressDay(number: 20_782).text == "2026-11-25")
    }

    @Test func `the same refusal is told of once a minute, with how often it was`() {
        let news = RefusalNews()
        let session = UUID()
        let refusal = EgressRefusal(status: 403, reason: .policy, target: "a:1", detail: "no")
        #expect(news.news(refusal, of: session, ticks: 0)?.count == 1)
        for _ in 0..<5 { #expect(news.news(refusal, of: session, ticks: second) == nil) }
        #expect(news.news(refusal, of: UUID(), ticks: second)?.count == 1)
        #expect(news.news(refusal, of: session, ticks: 61 * second)?.count == 6)
    }

    @Test func `a flood of kinds is told of in part`() {
        let news = RefusalNews()
        let session = UUID()
        let told = (0..<100).compactMap { index in
            news.news(
                EgressRefusal(status: 403, reason: .policy, target: "h\(index):1", detail: "no"), of: session, ticks: 0)
        }
        #expect(told.count == 30)
    }
}
