import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import Gateway

/// An upstream that does not answer.
@Suite struct CircuitBreakerTests {
    @Test func itOpensAfterFailuresInARowAloneAndTriesWithOne() {
        var breaker = CircuitBreaker()
        for _ in 0..<20 {
            for _ in 0..<CircuitBreaker.threshold - 1 { breaker.failed(at: 0) }
            #expect(breaker.begin(at: 0) == nil)
            breaker.answered()
        }
        for _ in 0..<CircuitBreaker.threshold { breaker.failed(at: 10) }
        #expect(breaker.begin(at: 10) == 2)
        // Those that were under way do not lengthen it.
        breaker.failed(at: 11)
        #expect(breaker.begin(at: 11) == 1)
        #expect(breaker.begin(at: 12) == nil)
        #expect(breaker.begin(at: 12) != nil)
        breaker.failed(at: 13)
        #expect(breaker.begin(at: 16.9) != nil)
        #expect(breaker.begin(at: 17) == nil)
        // The one that tried was called off: another tries.
        breaker.gaveUp(at: 18)
        #expect(breaker.begin(at: 18) == nil)
        breaker.answered()
        #expect(breaker == CircuitBreaker())
    }

    @Test func thePauseGrowsToAMinute() {
        var breaker = CircuitBreaker()
        for _ in 0..<CircuitBreaker.threshold { breaker.failed(at: 0) }
        var now = 0.0
        var pauses: [Double] = []
        for _ in 0..<7 {
            let wait = breaker.begin(at: now) ?? 0
            pauses.append(wait)
            now += wait
            #expect(breaker.begin(at: now) == nil)
            breaker.failed(at: now)
        }
        #expect(pauses == [2, 4, 8, 16, 32, 60, 60])
    }

    @Test func sessionsAreToldAtOnceWhileAnUpstreamDoesNotAnswerAndAnErrorIsAnAnswer() async throws {
        // A port that nobody listens on: taken, and given back.
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        try await channel.close().get()
        try await GatewayFixture.with(upstream: "http://127.0.0.1:\(port)") { fixture in
            var statuses: [UInt] = []
            for _ in 0..<CircuitBreaker.threshold + 1 {
                let response = try await fixture.client.execute(
                    fixture.prompt("SAY hi", stream: true), timeout: .seconds(20))
                statuses.append(response.status.code)
                if response.status.code == 529 { #expect(response.headers.first(name: "retry-after") != nil) }
                _ = try await response.body.collect(upTo: 1 << 20)
            }
            #expect(statuses == [502, 502, 502, 502, 502, 529])
            #expect(try fixture.gateway.health.standings.map(\.isOpen) == [true])
        }
        try await GatewayFixture.with { fixture in
            for _ in 0..<CircuitBreaker.threshold + 1 {
                let response = try await fixture.client.execute(
                    fixture.prompt("ERR 500", stream: true), timeout: .seconds(20))
                #expect(response.status.code == 500)
                _ = try await response.body.collect(upTo: 1 << 20)
            }
            #expect(try fixture.gateway.health.standings.map(\.isOpen) == [false])
        }
    }
}
