import Foundation
import NIOCore
import Policy
import Synchronization
import Testing

@testable import Gateway

/// What a policy says of how much is let out: connections, bytes in a day, bytes in a second.
@Suite(.timeLimit(.minutes(3))) struct EgressLimitsTests {
    @Test func `connections over the limit are refused until one ends, another session's are not`() async throws {
        try await StandInServer.with(StandInServer.counting) { port in
            var policy = EgressPolicy.list("tcp a.example:9")
            policy.connections = 1
            try await EgressFixture.with(policy, standIns: ["a.example:9": port]) { fixture in
                let connect = "CONNECT a.example:9 HTTP/1.1\r\n\r\n"
                let first = try await fixture.client()
                try await first.executeThenClose { inbound, outbound in
                    try await outbound.write(ByteBuffer(string: connect))
                    var parts = inbound.makeAsyncIterator()
                    let opened = try await parts.next().map { String(buffer: $0) }
                    #expect(opened?.hasPrefix("HTTP/1.1 200") == true)
                    #expect(try await fixture.exchange(connect).hasPrefix("HTTP/1.1 429 "))
                    let other = try await fixture.client(as: UUID())
                    try await other.executeThenClose { inbound, outbound in
                        try await outbound.write(ByteBuffer(string: connect))
                        outbound.finish()
                        var text = ""
                        for try await part in inbound { text += String(buffer: part) }
                        #expect(text.hasSuffix("got 0\n"))
                    }
                }
                try await eventually { fixture.gate.books.connections(of: fixture.session) == 0 }
            }
        }
    }

    @Test func `a day's bytes are the end of it, those of yesterday's supervisor too`() async throws {
        try await StandInServer.with(StandInServer.counting) { port in
            var policy = EgressPolicy.list("tcp a.example:9")
            policy.daily = .mebibytes(1)
            try await EgressFixture.with(policy, standIns: ["a.example:9": port]) { fixture in
                fixture.authority.before.withLock { $0 = ((1 << 20) - 10, 0) }
                let answer = try await fixture.exchange("CONNECT a.example:9 HTTP/1.1\r\n\r\n0123456789abcdef")
                #expect(answer == "HTTP/1.1 200 Connection established\r\n\r\n")
                try await eventually { fixture.authority.refused.contains { $0.reason == "daily_bytes" } }
                let next = try await fixture.exchange("CONNECT a.example:9 HTTP/1.1\r\n\r\n")
                #expect(next.contains("x-rookery-refused: daily_bytes"))
            }
        }
    }

    @Test func `where accounts cannot be read nothing is let out`() async throws {
        try await EgressFixture.with(EgressPolicy.list("a.example"), standIns: ["a.example:443": 9]) { fixture in
            fixture.authority.before.withLock { $0 = nil }
            let answer = try await fixture.exchange("CONNECT a.example:443 HTTP/1.1\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 503 "))
        }
    }

    @Test(arguments: [false, true]) func `bytes go no faster than the policy says`(comesFromServer: Bool) async throws {
        let (piece, count) = (64 << 10, 20)
        let received = Mutex(0)
        try await StandInServer.with({ inbound, outbound in
            if comesFromServer {
                for _ in 0..<count { try await outbound.write(ByteBuffer(repeating: 1, count: piece)) }
                return
            }
            for try await part in inbound { received.withLock { $0 += part.readableBytes } }
        }) { port in
            var policy = EgressPolicy.list("tcp a.example:9")
            policy.bandwidth = ByteSize(bytes: 512 << 10)
            try await EgressFixture.with(policy, standIns: ["a.example:9": port]) { fixture in
                let start = ContinuousClock.now
                let client = try await fixture.client()
                try await client.executeThenClose { inbound, outbound in
                    try await outbound.write(ByteBuffer(string: "CONNECT a.example:9 HTTP/1.1\r\n\r\n"))
                    if !comesFromServer {
                        for _ in 0..<count {
                            try await client.channel.writeAndFlush(ByteBuffer(repeating: 1, count: piece)).get()
                        }
                    }
                    outbound.finish()
                    for try await part in inbound { received.withLock { $0 += part.readableBytes } }
                }
                // A second's worth goes at once, the rest in a second and a half.
                #expect(ContinuousClock.now - start > .milliseconds(1450))
                #expect(received.withLock { $0 } >= count * piece)
            }
        }
    }

    @Test func `a new connection of a session over its rate waits like those it has`() async throws {
        try await StandInServer.with(StandInServer.counting) { port in
            var policy = EgressPolicy.list("tcp a.example:9")
            policy.bandwidth = ByteSize(bytes: 64 << 10)
            try await EgressFixture.with(policy, standIns: ["a.example:9": port]) { fixture in
                let start = ContinuousClock.now
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for _ in 0..<4 {
                        tasks.addTask {
                            let client = try await fixture.client()
                            let answer = try await client.executeThenClose { inbound, outbound in
                                let head = ByteBuffer(string: "CONNECT a.example:9 HTTP/1.1\r\n\r\n")
                                try await outbound.write(head)
                                try await outbound.write(ByteBuffer(repeating: 1, count: 48 << 10))
                                outbound.finish()
                                var text = ""
                                for try await part in inbound { text += String(buffer: part) }
                                return text
                            }
                            #expect(answer.hasSuffix("got \(48 << 10)\n"))
                        }
                    }
                    try await tasks.waitForAll()
                }
                #expect(ContinuousClock.now - start > .milliseconds(1950))
            }
        }
    }
}
