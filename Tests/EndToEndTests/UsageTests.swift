import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// What the real Claude Code uses, counted by the gateway.
@Suite(.serialized) struct UsageTests {
    private static func total(_ api: APIClient, _ id: String) async throws -> JSONValue {
        try await api.get("/v1/sessions/\(id)/usage").json["total"] ?? .null
    }

    @Test func aTurnIsCountedBySessionUserModelAndDay() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create()
            try await api.waitForScreen(id, containing: "❯")
            try await api.input(id, "SAY counted")
            try await api.waitForScreen(id, containing: "● counted")
            try await api.waitFor(id, activity: .idle)

            let total = try await Self.total(api, id)
            #expect((total["input_tokens"]?.integer ?? 0) >= 25)
            #expect((total["output_tokens"]?.integer ?? 0) > 0)
            let rows = try await api.get("/v1/usage?group_by=day,tenant,user,model").json["items"]?.array ?? []
            #expect(rows.allSatisfy { $0["tenant"]?.string == "default" && $0["user"]?.string == "admin" })
            #expect(rows.compactMap { $0["model"]?.string }.contains { $0.hasPrefix("claude-") }, "\(rows)")
            let requests = try await api.get("/v1/sessions/\(id)/requests").json["items"]?.array ?? []
            let message = try #require(requests.first { $0["path"]?.string == "/v1/messages" })
            #expect(message["status"]?.integer == 200)
            #expect(message["outcome"]?.string == "complete")
            let metrics = try await api.get("/metrics")
            #expect(metrics.text.contains("rookery_model_tokens_total{tenant=\"default\""))

            // What a deleted session used stays used.
            _ = try await api.delete("/v1/sessions/\(id)")
            let kept = try await api.get("/v1/usage?session_id=\(id)").json["items"]?.array?.first
            #expect(kept?["input_tokens"]?.integer ?? 0 >= total["input_tokens"]?.integer ?? 1)
        }
    }

    @Test func aPolicyKeepsTheBodiesOfRequests() async throws {
        try await Rookery.with(RookeryOptions(policies: ["watched": "request_bodies: 1MiB\n"])) { rookery in
            let api = rookery.api
            for (policy, isKept) in [("watched", true), ("default", false)] {
                let id = try await api.create(["policy": .string(policy)])
                try await api.waitForScreen(id, containing: "❯")
                try await api.input(id, "SAY something-to-find")
                try await api.waitForScreen(id, containing: "● something-to-find")
                try await api.waitFor(id, activity: .idle)
                try await eventually("the bodies") { () -> Bool? in
                    let lines = try await api.get("/v1/sessions/\(id)/requests").json["items"]?.array ?? []
                    let messages = lines.filter { $0["path"] == "/v1/messages" && $0["outcome"] == "complete" }
                    var found = false
                    for name in messages.compactMap({ $0["id"]?.string }) {
                        let request = try await api.get("/v1/sessions/\(id)/requests/\(name)").json
                        #expect(isKept || request["request_body"] == nil)
                        if request["request_body"]?["text"]?.string?.contains("SAY something-to-find") == true,
                            request["response_body"]?["text"]?.string?.contains("message_stop") == true
                        {
                            found = true
                        }
                    }
                    return !messages.isEmpty && found == isKept ? true : nil
                }
            }
        }
    }

    @Test func aSupervisorKilledWhileAnAnswerStreamsLosesNoUsageAndTheTurnCompletes() async throws {
        try await Rookery.with { rookery in
            let id = try await rookery.api.create()
            try await rookery.api.waitForScreen(id, containing: "❯")
            try await rookery.api.waitFor(id, activity: .idle)
            let before = try await Self.total(rookery.api, id)["input_tokens"]?.integer ?? 0
            try await rookery.api.input(id, "DRIP 30 0.3")
            try await rookery.api.waitForScreen(id, containing: "drip3")
            await rookery.endSupervisor(signal: SIGKILL)
            try await rookery.restartIfDead()
            let api = rookery.api
            try await api.waitForScreen(id, containing: "drip29", within: .seconds(120))
            try await api.waitFor(id, activity: .idle)

            let requests = try await api.get("/v1/sessions/\(id)/requests").json["items"]?.array ?? []
            let outcomes = requests.compactMap { $0["outcome"]?.string }
            #expect(outcomes.contains("interrupted"), "\(requests)")
            #expect(!outcomes.contains("open"))
            // The one that was cut off and the one that took its place, each once.
            let messages = requests.filter { $0["path"]?.string == "/v1/messages" && $0["status"]?.integer == 200 }
            let names = messages.compactMap { $0["request_id"]?.string }
            #expect(Set(names).count == names.count)
            let after = try await Self.total(api, id)["input_tokens"]?.integer ?? 0
            #expect(after >= before + 50, "25 of the cut one, 25 of the whole one: \(before) → \(after)")
            #expect(after == messages.compactMap { $0["input_tokens"]?.integer }.reduce(0, +))
        }
    }
}
