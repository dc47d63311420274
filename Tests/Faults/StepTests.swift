import EndToEndSupport
import Foundation
import Glibc
import SessionCore
import Testing

/// The supervisor or the launcher killed at any step of what changes a session. Afterwards the API says what is, what was
/// asked for twice is there once, and nothing is left that no session owns (`Rookery.with` looks at its end).
@Suite(.serialized) struct StepTests {
    static let victims = [Victim.supervisor, .launcher]

    /// Runs the request and kills the victim meanwhile.
    private func interrupted(
        _ victim: Victim, after delay: Int, in rookery: Rookery,
        _ request: @escaping @Sendable (APIClient) async throws -> APIClient.Answer
    ) async throws -> APIClient.Answer? {
        let pid = try await eventually("a \(victim.rawValue)") { victim.pid(in: rookery, session: "-") }
        let api = rookery.api
        let asked = Task { try? await request(api) }
        try await Task.sleep(for: .milliseconds(delay))
        kill(pid, SIGKILL)
        let answer = await asked.value
        try await eventually("the \(victim.rawValue) to be gone") { victim.isGone(pid) ? true : nil }
        try await rookery.restartIfDead()
        try await eventually("a launcher") { Victim.launcher.pid(in: rookery, session: "-") }
        try await eventually("the service to be ready") {
            try await rookery.api.get("/readyz").status == 200 ? true : nil
        }
        return answer
    }

    @Test("create, asked again with its key, makes one session", arguments: victims)
    func create(victim: Victim) async throws {
        try await Listener.with { rookery in
            var dice = Dice()
            for round in 1...Rounds.count {
                let key = UUID().uuidString
                let delay = Int.random(in: 0...250, using: &dice)
                let create: @Sendable (APIClient) async throws -> APIClient.Answer = {
                    try await $0.post("/v1/sessions", ["name": .string(key)], headers: [("idempotency-key", key)])
                }
                _ = try await interrupted(victim, after: delay, in: rookery, create)
                var answer = try await create(rookery.api)
                // Told that it could not be started: then it is not there, and may be asked for anew.
                if answer.status >= 500 { answer = try await create(rookery.api) }
                let moment = Comment(rawValue: "round \(round), \(delay) ms, seed \(dice.seed): \(answer.text)")
                let id = try #require(answer.json["id"]?.string, moment)
                rookery.created.add(id)
                let named = try await rookery.api.sessions().filter { $0["name"]?.string == key }
                #expect(named.map { $0["id"]?.string } == [id], moment)
                try await rookery.api.waitFor(id, lifecycle: .running)
                try await rookery.api.input(id, "hello")
                try await eventually("the input") { Listener.said(in: id, of: rookery) == ["hello"] ? true : nil }
                #expect(try await rookery.api.delete("/v1/sessions/\(id)").status == 204, moment)
            }
        }
    }

    @Test("what was asked to stop does not run, and nothing that was said is lost", arguments: victims)
    func stopAndResume(victim: Victim) async throws {
        try await Listener.with { rookery in
            var dice = Dice()
            let id = try await rookery.api.create()
            for round in 1...Rounds.count {
                let (down, up) = (Int.random(in: 0...120, using: &dice), Int.random(in: 0...250, using: &dice))
                let moment = Comment(rawValue: "round \(round), \(down) and \(up) ms, seed \(dice.seed)")
                try await rookery.api.input(id, "line \(round)")
                let ending = round % 2 == 0 ? ("park", Lifecycle.parked) : ("stop", .stopped)
                let answer = try await interrupted(victim, after: down, in: rookery) {
                    try await $0.post("/v1/sessions/\(id)/\(ending.0)")
                }
                // Not heard of: asked again. Idempotent either way.
                if answer?.status != 200 {
                    #expect(try await rookery.api.post("/v1/sessions/\(id)/\(ending.0)").status == 200, moment)
                }
                try await rookery.api.waitFor(id, lifecycle: ending.1)
                try await Task.sleep(for: .milliseconds(200))
                #expect(try await rookery.api.session(id)["lifecycle"]?.string == ending.1.rawValue, moment)
                #expect(rookery.processes(of: id).isEmpty, moment)

                let resumed = try await interrupted(victim, after: up, in: rookery) {
                    try await $0.post("/v1/sessions/\(id)/resume")
                }
                if resumed?.status != 200 {
                    try await eventually("the session to resume", within: .seconds(60)) {
                        try await rookery.api.post("/v1/sessions/\(id)/resume").status == 200 ? true : nil
                    }
                }
                try await rookery.api.waitFor(id, lifecycle: .running)
                try await Checker(rookery: rookery).checkProcesses(of: id)
            }
            try await rookery.api.input(id, "last")
            let expected = (1...Rounds.count).map { "line \($0)" } + ["last"]
            try await eventually("everything to be said") {
                Listener.said(in: id, of: rookery).count >= expected.count ? true : nil
            }
            #expect(Listener.said(in: id, of: rookery) == expected)
        }
    }

    @Test("what was asked to be deleted is gone and does not come back", arguments: victims)
    func delete(victim: Victim) async throws {
        try await Listener.with { rookery in
            var dice = Dice()
            for round in 1...Rounds.count {
                let id = try await rookery.api.create()
                let delay = Int.random(in: 0...120, using: &dice)
                let moment = Comment(rawValue: "round \(round), \(delay) ms, seed \(dice.seed)")
                let answer = try await interrupted(victim, after: delay, in: rookery) {
                    try await $0.delete("/v1/sessions/\(id)")
                }
                if answer?.status != 204 {
                    try await eventually("the deletion", within: .seconds(60)) {
                        [204, 404].contains(try await rookery.api.delete("/v1/sessions/\(id)").status) ? true : nil
                    }
                }
                #expect(try await rookery.api.get("/v1/sessions/\(id)").status == 404, moment)
                try await eventually("nothing of it to be left") {
                    rookery.leftovers().contains { $0.contains(id) } ? nil : true
                }
            }
        }
    }
}
