import AsyncHTTPClient
import Foundation
import Gateway
import NIOCore
import NIOHTTP1
import Testing

/// What the gateway writes down of requests to a model that says what they used.
@Suite struct MeteringTests {
    @Test(arguments: [true, false])
    func `an answer is written down with what it used before it has ended`(stream: Bool) async throws {
        try await GatewayFixture.with { fixture in
            var request = fixture.prompt("SAY hi", stream: stream)
            request.body = .bytes(Data(prompt("SAY hi", model: "claude-sonnet-5", stream: stream).utf8))
            let response = try await fixture.client.execute(request, timeout: .seconds(20))
            let body = String(buffer: try await response.body.collect(upTo: 1 << 20))
            #expect(body.contains("hi"))
            let last = try #require(fixture.ledger.all.last)
            #expect(last.outcome == .complete)
            #expect(last.status == 200)
            #expect(last.model == "claude-sonnet-5")
            #expect(last.usage.input == 25)
            #expect(last.usage.output > 0)
            #expect(last.requestID == response.headers.first(name: "request-id"))
            // 2 and 10 USD a million.
            #expect(last.cost == 25 * 2000 + last.usage.output * 10_000)
            #expect(last.startedAt <= last.firstByteAt ?? .distantPast)
            #expect(last.endedAt != nil)
            #expect(Set(fixture.ledger.all.map(\.id)).count == 1)
            #expect(fixture.ledger.all.first?.outcome == .open)
        }
    }

    private struct Keep: BodyPolicy {
        var bytes: Int
        func bytesKept(of session: UUID) async -> Int { bytes }
    }

    @Test func `bodies are kept as far as the policy says, and by default not at all`() async throws {
        for bytes in [0, 20, 1 << 20] {
            try await GatewayFixture.with(bodies: Keep(bytes: bytes)) { fixture in
                let sent = prompt("SAY hi", model: "claude-sonnet-5", stream: true)
                var request = fixture.prompt("SAY hi", stream: true)
                request.body = .bytes(Data(sent.utf8))
                let response = try await fixture.client.execute(request, timeout: .seconds(20))
                let answer = Data(try await response.body.collect(upTo: 1 << 20).readableBytesView)
                let id = try #require(fixture.ledger.all.last?.id)
                guard bytes > 0 else { return #expect(fixture.ledger.bodies.isEmpty) }
                try await eventually { fixture.ledger.bodies[id] != nil }
                let kept = try #require(fixture.ledger.bodies[id])
                #expect(kept.request.bytes == Data(sent.utf8).prefix(bytes))
                #expect(kept.request.size == sent.utf8.count)
                #expect(kept.answer.bytes == answer.prefix(bytes))
                #expect(kept.answer.size == answer.count)
            }
        }
    }

    @Test func `an answer that breaks off counts with what it had said`() async throws {
        try await GatewayFixture.with { fixture in
            let response = try await fixture.client.execute(
                fixture.prompt("CUT SAY something", stream: true), timeout: .seconds(20))
            _ = try? await response.body.collect(upTo: 1 << 20)
            try await eventually { fixture.ledger.all.last?.outcome == .cut }
            #expect(fixture.ledger.all.last?.usage.input == 25)
        }
    }

    @Test func `an answer that nobody waits for any more counts with what it had said`() async throws {
        try await GatewayFixture.with { fixture in
            let seen = Transcript()
            let request = fixture.prompt("DRIP 1000 0.2", stream: true)
            let task = Task {
                let response = try await fixture.client.execute(request, timeout: .seconds(300))
                for try await part in response.body { seen.append(part) }
            }
            try await eventually { seen.value.contains("drip1 ") }
            // Before its end: what was used so far would survive a kill.
            try await eventually { fixture.ledger.all.contains { $0.outcome == .open && $0.usage.input == 25 } }
            task.cancel()
            try await eventually { fixture.ledger.all.last?.outcome == .cut }
            #expect(fixture.ledger.all.last?.usage.input == 25)
        }
    }

    @Test(arguments: [429, 529, 400])
    func `an error of the API is written down without usage`(status: Int) async throws {
        try await GatewayFixture.with { fixture in
            let response = try await fixture.client.execute(
                fixture.prompt("ERR \(status)", stream: true), timeout: .seconds(20))
            _ = try await response.body.collect(upTo: 1 << 20)
            // The answer's length tells its end, which may come before it is written down: it used nothing.
            try await eventually { fixture.ledger.all.last?.outcome != .open }
            let last = try #require(fixture.ledger.all.last)
            #expect(last.status == status)
            #expect(last.outcome == .complete)
            #expect(last.usage == .none)
            #expect(last.model == "m")
        }
    }

    @Test func `what cannot be written down is not served`() async throws {
        try await GatewayFixture.with { fixture in
            fixture.ledger.fill()
            let response = try await fixture.client.execute(
                fixture.prompt("SAY secret", stream: true), timeout: .seconds(20))
            let body = String(buffer: try await response.body.collect(upTo: 1 << 20))
            #expect(response.status.code == 529)
            #expect(body.contains("overloaded_error"))
            #expect(!body.contains("secret"))
        }
    }

    private func prompt(_ text: String, model: String, stream: Bool) -> String {
        #"{"model":"\#(model)","stream":\#(stream),"messages":[{"role":"user","content":"\#(text)"}]}"#
    }
}
