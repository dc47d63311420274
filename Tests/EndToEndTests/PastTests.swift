import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// What a session did can be had afterwards, whatever became of it.
@Suite(.serialized) struct PastTests {
    @Test func aConversationIsThereWhileParkedAndAfterARestart() async throws {
        try await Rookery.with { rookery in
            var api = rookery.api
            let id = try await api.create()
            try await api.waitForScreen(id, containing: "❯")
            try await api.input(id, "SAY remember-this")
            try await api.waitForScreen(id, containing: "● remember-this")
            try await eventually("the answer in the transcript") {
                try await Self.texts(api, id).contains("remember-this") ? true : nil
            }
            let live = try await Self.recording(api, id)
            #expect(try await api.post("/v1/sessions/\(id)/park").status == 200)
            await rookery.endSupervisor(signal: SIGKILL)
            try await rookery.start()
            api = rookery.api
            #expect(try await api.session(id)["lifecycle"]?.string == "parked")

            let texts = try await Self.texts(api, id)
            #expect(texts.contains { $0.contains("SAY remember-this") })
            #expect(texts.filter { $0 == "remember-this" }.count == 1)
            let parked = try await Self.recording(api, id)
            #expect(parked.hasPrefix(live.prefix(200)))
            #expect(parked.contains("remember-this"))
            let printed = try await run(
                [
                    Programs.built("rookery"), "transcript", id, "--server", rookery.address, "--token-file",
                    rookery.stateDirectory + "/admin-token",
                ], logs: rookery.root)
            #expect(printed.output.contains("> SAY remember-this"))
            let logged = try await run(
                [
                    Programs.built("rookery"), "logs", id, "--json", "--server", rookery.address, "--token-file",
                    rookery.stateDirectory + "/admin-token",
                ], logs: rookery.root)
            let numbers = logged.output.split(separator: "\n").compactMap {
                JSONValue(parsing: String($0))?["seq"]?.integer
            }
            // All of it: from the first to the parking.
            #expect(numbers.first == 1)
            #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
            #expect(logged.output.contains("\"input.accepted\""))
            #expect(!logged.output.contains("\"type\":\"gap\""))
            #expect(logged.output.contains("session.parked"))
        }
    }

    private static func texts(_ api: APIClient, _ id: String) async throws -> [String] {
        try await api.get("/v1/sessions/\(id)/transcript?limit=500").json["items"]?.array?
            .compactMap { $0["data"]?["text"]?.string } ?? []
    }

    /// Each line is checked to be what the format says.
    private static func recording(_ api: APIClient, _ id: String) async throws -> String {
        let answer = try await api.get("/v1/sessions/\(id)/recording")
        #expect(answer.status == 200)
        let lines = answer.text.split(separator: "\n")
        #expect(lines.first.flatMap { JSONValue(parsing: String($0)) }?["version"] == 2)
        var last = 0.0
        for line in lines.dropFirst() {
            let parts = try #require(JSONValue(parsing: String(line))?.array)
            #expect(parts.count == 3)
            let time: Double =
                switch parts[0] {
                case .number(let number): number
                case .integer(let number): Double(number)
                default: -1
                }
            #expect(time >= last)
            last = time
            #expect(["o", "r", "m"].contains(parts[1].string))
        }
        return answer.text
    }
}
