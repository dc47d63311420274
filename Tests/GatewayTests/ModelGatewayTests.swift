import AsyncHTTPClient
import Foundation
import Gateway
import Logging
import NIOCore
import NIOHTTP1
import Testing

@Suite struct ModelGatewayTests {
    @Test func `the credential is added outside, and the placeholder never leaves`() async throws {
        try await GatewayFixture.with { fixture in
            var request = fixture.prompt("SAY hi", stream: false)
            let own = try #require(request.headers.first(name: "x-api-key"))
            request.headers.add(name: "authorization", value: "Bearer \(own)")
            request.headers.add(name: "cookie", value: "a=placeholder")
            request.headers.add(name: "anthropic-beta", value: "some-beta")
            let response = try await fixture.client.execute(request, timeout: .seconds(20))
            let body = String(buffer: try await response.body.collect(upTo: 1 << 20))
            #expect(response.status == .ok)
            #expect(body.contains(#""text":"hi""#))
            #expect(!"\(response.headers)\(body)".contains(GatewayFixture.key))

            let line = try #require(try fixture.logged("request").first)
            #expect(line.contains(#""x-api-key":"…WXYZ""#))
            #expect(line.contains(#""anthropic-beta":"some-beta""#))
            for absent in ["lder", "authorization", "cookie", "rookery", GatewayFixture.key] {
                #expect(!line.contains(absent), "\(absent) reached upstream: \(line)")
            }
        }
    }

    @Test func `an answer arrives as it is made, and leaving ends it upstream`() async throws {
        try await GatewayFixture.with { fixture in
            let seen = Transcript()
            let request = fixture.prompt("DRIP 1000 0.2", stream: true)
            let task = Task {
                let response = try await fixture.client.execute(request, timeout: .seconds(300))
                for try await part in response.body { seen.append(part) }
            }
            // The whole would take 200 s, so the second piece can only come by streaming.
            try await eventually { seen.value.contains("drip1 ") }
            task.cancel()
            try await eventually { try fixture.logged("client_gone").count == 1 }
            #expect(try fixture.logged("done").isEmpty)
        }
    }

    @Test func `leaving before the answer began ends it upstream`() async throws {
        try await GatewayFixture.with { fixture in
            let request = fixture.prompt("HANG", stream: true)
            let task = Task { _ = try await fixture.client.execute(request, timeout: .seconds(300)) }
            try await eventually { try fixture.logged("request").count == 1 }
            task.cancel()
            try await eventually { try fixture.logged("client_gone").count == 1 }
        }
    }

    @Test func `an answer that breaks off upstream breaks off here`() async throws {
        try await GatewayFixture.with { fixture in
            let response = try await fixture.client.execute(
                fixture.prompt("CUT SAY something", stream: true), timeout: .seconds(20))
            #expect(response.status == .ok)
            await #expect(throws: (any Error).self) { _ = try await response.body.collect(upTo: 1 << 20) }
        }
    }

    @Test(arguments: [429, 529, 400, 500])
    func `an error of the API passes unharmed`(status: Int) async throws {
        try await GatewayFixture.with { fixture in
            let response = try await fixture.client.execute(
                fixture.prompt("ERR \(status)", stream: true), timeout: .seconds(20))
            #expect(response.status.code == status)
            #expect(response.headers.first(name: "retry-after") == ([429, 529].contains(status) ? "1" : nil))
            let body = String(buffer: try await response.body.collect(upTo: 1 << 20))
            #expect(body.contains("scripted error \(status)"))
        }
    }

    @Test(
        arguments: [
            (.GET, "/v1/models"), (.POST, "/v1/messages/count_tokens?beta=true"), (.HEAD, "/"),
        ] as [(HTTPMethod, String)])
    func `the rest of the model API is there`(method: HTTPMethod, path: String) async throws {
        try await GatewayFixture.with { fixture in
            var request = fixture.request(method, path)
            if method == .POST { request.body = .bytes(Data("{}".utf8)) }
            let response = try await fixture.client.execute(request, timeout: .seconds(20))
            #expect(response.status == .ok)
            _ = try await response.body.collect(upTo: 1 << 20)
        }
    }

    @Test(
        arguments: [
            (.GET, "/"), (.POST, "/v1/files"), (.DELETE, "/v1/models"), (.GET, "/v1/models/../files"),
            (.POST, "/v1/messages%2f..%2ffiles"), (.GET, "/v1/organizations"), (.PUT, "/v1/messages"),
        ] as [(HTTPMethod, String)])
    func `anything else is refused and reaches nobody`(method: HTTPMethod, path: String) async throws {
        try await GatewayFixture.with { fixture in
            let response = try await fixture.client.execute(fixture.request(method, path), timeout: .seconds(20))
            #expect(response.status == .notFound)
            let body = String(buffer: try await response.body.collect(upTo: 1 << 20))
            #expect(body.contains("not_found_error"))
            #expect(try fixture.logged("request").isEmpty)
        }
    }

    @Test(arguments: ["x-api-key", "authorization", "both", "none"])
    func `another session's placeholder is refused, and so is none`(shown: String) async throws {
        try await GatewayFixture.with { fixture in
            var request = fixture.prompt("SAY hi", stream: false)
            let other = "placeholder-of-\(UUID())"
            if shown != "both" { request.headers.remove(name: "x-api-key") }
            if shown == "x-api-key" { request.headers.add(name: "x-api-key", value: other) }
            if shown == "authorization" { request.headers.add(name: "authorization", value: "Bearer \(other)") }
            if shown == "both" { request.headers.add(name: "authorization", value: "Bearer \(other)") }
            let response = try await fixture.client.execute(request, timeout: .seconds(20))
            #expect(response.status == .unauthorized)
            #expect(String(buffer: try await response.body.collect(upTo: 1 << 20)).contains("authentication_error"))
            #expect(try fixture.logged("request").isEmpty)
        }
    }

    @Test func `the word that all sandboxes had before is taken, and not beside another's`() async throws {
        try await GatewayFixture.with { fixture in
            for (other, status) in [(nil, HTTPResponseStatus.ok), ("placeholder-of-\(UUID())", .unauthorized)] {
                var request = fixture.prompt("SAY hi", stream: false)
                request.headers.remove(name: "x-api-key")
                request.headers.add(name: "authorization", value: "Bearer former")
                if let other { request.headers.add(name: "x-api-key", value: other) }
                let response = try await fixture.client.execute(request, timeout: .seconds(20))
                #expect(response.status == status)
                _ = try await response.body.collect(upTo: 1 << 20)
            }
        }
    }

    @Test func `only a session's own worker speaks for it`() async throws {
        let own = UUID()
        try await GatewayFixture.with(speaksFor: { $0 == getpid() && $1 == own }) { fixture in
            for (session, status) in [(own, HTTPResponseStatus.ok), (UUID(), .forbidden)] {
                var request = fixture.prompt("SAY hi", stream: false)
                request.headers.replaceOrAdd(name: "x-rookery-session", value: "\(session)")
                request.headers.replaceOrAdd(name: "x-api-key", value: "placeholder-of-\(session)")
                let response = try await fixture.client.execute(request, timeout: .seconds(20))
                #expect(response.status == status)
                _ = try await response.body.collect(upTo: 1 << 20)
            }
            #expect(try fixture.logged("request").count == 1)
        }
    }

    @Test func `a session with nothing left is told so, and it is in the log of requests`() async throws {
        struct Empty: ModelBudget {
            func admit(_ session: UUID) async throws(Refusal) {
                throw Refusal(status: 402, type: "billing_error", message: "rookery: used up")
            }
        }
        try await GatewayFixture.with(budget: Empty()) { fixture in
            let response = try await fixture.client.execute(
                fixture.prompt("SAY hi", stream: true), timeout: .seconds(20))
            #expect(response.status.code == 402)
            #expect(response.headers.first(name: "retry-after") == nil)
            let body = String(buffer: try await response.body.collect(upTo: 1 << 20))
            #expect(body.contains(#""type":"error""#))
            #expect(body.contains(#""type":"billing_error""#))
            #expect(body.contains("rookery: used up"))
            #expect(try fixture.logged("request").isEmpty)
            #expect(fixture.ledger.all.map(\.outcome) == [.refused])
            // What costs nothing goes on.
            let models = try await fixture.client.execute(fixture.request(.GET, "/v1/models"), timeout: .seconds(20))
            #expect(models.status == .ok)
            _ = try await models.body.collect(upTo: 1 << 20)
        }
    }

    @Test(arguments: [nil, "", "not-a-uuid"])
    func `a request that does not say its session is refused`(session: String?) async throws {
        try await GatewayFixture.with { fixture in
            var request = fixture.prompt("SAY hi", stream: false)
            request.headers.remove(name: "x-rookery-session")
            if let session { request.headers.add(name: "x-rookery-session", value: session) }
            let response = try await fixture.client.execute(request, timeout: .seconds(20))
            #expect(response.status == .forbidden)
            #expect(try fixture.logged("request").isEmpty)
        }
    }

    @Test func `a request that says it is too large is refused before it is read`() async throws {
        try await GatewayFixture.with { fixture in
            var request = fixture.request(.POST, "/v1/messages")
            let (parts, source) = AsyncStream<ByteBuffer>.makeStream()
            request.body = .stream(parts, length: .known(Int64(33 << 20)))
            let response = try await fixture.client.execute(request, timeout: .seconds(20))
            #expect(response.status == .payloadTooLarge)
            source.finish()
            #expect(try fixture.logged("request").isEmpty)
        }
    }

    @Test func `an upstream that is not there is an error the client may try again`() async throws {
        try await GatewayFixture.with(upstream: "http://127.0.0.1:1") { fixture in
            let response = try await fixture.client.execute(
                fixture.prompt("SAY hi", stream: true), timeout: .seconds(20))
            #expect(response.status == .badGateway)
            let body = String(buffer: try await response.body.collect(upTo: 1 << 20))
            #expect(body.contains(#""type":"error""#) && body.contains("api_error"))
            #expect(!body.contains(GatewayFixture.key))
        }
    }

    @Test func `many answers stream at once`() async throws {
        try await GatewayFixture.with { fixture in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<50 {
                    let request = fixture.prompt("DRIP 3 0.2 number \(number)", stream: true)
                    group.addTask {
                        let response = try await fixture.client.execute(request, timeout: .seconds(60))
                        return String(buffer: try await response.body.collect(upTo: 1 << 20)).contains("message_stop")
                    }
                }
                for try await complete in group { #expect(complete) }
            }
        }
    }
}
