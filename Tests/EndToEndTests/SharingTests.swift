import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// Two tenants, one model, and the real Claude Code.
@Suite(.serialized) struct SharingTests {
    @Test func oneWhoAsksLittleIsNotBehindOneWhoAsksMuch() async throws {
        try await Rookery.with(RookeryOptions(arguments: ["--model-concurrency", "2"])) { rookery in
            let greedy = rookery.api
            #expect(try await greedy.post("/v1/tenants", ["name": "modest"]).status == 201)
            #expect(try await greedy.post("/v1/users", ["name": "mo", "tenant": "modest"]).status == 201)
            let made = try await greedy.post("/v1/tokens", ["role": "user", "user": "mo", "tenant": "modest"])
            var modest = greedy
            modest.token = try #require(made.json["token"]?.string)

            let own = try await modest.create(["kind": "structured"])
            let mine = try await StreamClient(modest, own)
            // Once before, so that nothing but the answer takes time.
            _ = try await mine.end(of: mine.prompt("SAY ready"))
            var many: [StreamClient] = []
            for _ in 0..<6 {
                many.append(try await StreamClient(greedy, greedy.create(["kind": "structured"])))
            }
            let ended = try await withThrowingTaskGroup(of: String.self) { group in
                for client in many {
                    let prompt = try await client.prompt("DRIP 5 0.6")
                    group.addTask {
                        let end = try await client.end(of: prompt)
                        #expect(end["outcome"] == "completed", "\(end)")
                        return "greedy"
                    }
                }
                // The places are taken, and four wait for one.
                _ = try await eventually("a place to be taken") {
                    for client in many where await !client.events(.messageDelta).isEmpty { return true }
                    return nil
                }
                let prompt = try await mine.prompt("SAY at once")
                group.addTask {
                    let end = try await mine.end(of: prompt)
                    #expect(end["message"] == "at once", "\(end)")
                    return "modest"
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            // After the two that had the places, before the four that came first.
            #expect((ended.firstIndex(of: "modest") ?? 6) <= 2, "\(ended)")
            #expect(try await modest.get("/v1/sessions").json["items"]?.array?.count == 1)
            for client in many + [mine] { await client.close() }
        }
    }
}
