import EndToEndSupport
import Foundation
import NIOHTTP1
import SessionCore
import Testing

/// Budgets and the real Claude Code.
@Suite(.serialized) struct BudgetTests {
    private static func set(_ api: APIClient, _ id: String, aboveWhatIsUsed usd: Double) async throws {
        let used =
            switch try await api.get("/v1/sessions/\(id)/usage").json["total"]?["cost_usd"] {
            case .number(let number)?: number
            case .integer(let number)?: Double(number)
            default: 0.0
            }
        let body: JSONValue = ["session_id": .string(id), "period": "day", "limit_usd": .number(used + usd)]
        let answer = try await api.send(.PUT, "/v1/budgets", body: try JSONEncoder().encode(body))
        guard answer.status == 200 else { throw TimedOut(what: "a budget is not set: \(answer.text)") }
    }

    private static func transcript(_ api: APIClient, _ id: String) async throws -> String {
        try await api.get("/v1/sessions/\(id)/transcript").text
    }

    @Test func aTurnEndsItsSessionIsParkedAndTheNextIsToldWhy() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create()
            try await api.waitForScreen(id, containing: "❯")
            try await api.waitFor(id, activity: .idle)
            try await Self.set(api, id, aboveWhatIsUsed: 0.000_000_1)
            // Two requests: the first uses the budget up, the second belongs to the same turn.
            try await api.input(id, "READ absent.txt")
            try await api.waitFor(id, lifecycle: .parked)
            #expect(try await api.session(id)["reason"]?.string == "budget")
            let events = try await api.events("/v1/sessions/\(id)/events?since=0") { seen in
                seen.contains { $0["type"]?.string == "session.parked" }
            }
            let warning = try #require(events.first { $0["type"]?.string == "budget.warning" })
            #expect(warning["data"]?["scope"] == "session")
            #expect(try await Self.transcript(api, id).contains("done"))

            // Woken by a person's words, it says what Claude Code was told.
            try await api.input(id, "SAY nothing")
            let screen = try await api.waitForScreen(id, containing: "budget of this session")
            #expect(!screen.contains("● nothing"))
            try await api.waitFor(id, activity: .idle)
            let list = try await api.get("/v1/budgets").json["items"]?.array?.first
            #expect(list?["state"] == "reached")

            try await Self.set(api, id, aboveWhatIsUsed: 10)
            try await api.input(id, "SAY again")
            try await api.waitForScreen(id, containing: "● again")
        }
    }

    @Test func aStructuredSessionIsToldAsTheAPIWould() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(["kind": "structured"])
            var client = try await StreamClient(api, id)
            let first = try await client.prompt("SAY first")
            #expect(try await client.end(of: first)["outcome"] == "completed")
            try await api.waitFor(id, activity: .idle)
            await client.close()
            try await Self.set(api, id, aboveWhatIsUsed: -1e-9)
            try await api.waitFor(id, lifecycle: .parked)
            #expect(try await api.post("/v1/sessions/\(id)/resume").status == 200)
            client = try await StreamClient(api, id)
            let second = try await client.prompt("SAY second")
            let end = try await client.end(of: second)
            #expect(end["outcome"] == "failed", "\(end)")
            #expect(end["api_error_status"] == 402, "\(end)")
            #expect(end["message"]?.string?.contains("budget of this session") == true, "\(end)")
            await client.close()
        }
    }
}
