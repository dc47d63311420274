import EndToEndSupport
import Foundation
import NIOHTTP1
import SessionCore
import Testing

/// A tenant's own credential and the real Claude Code.
@Suite(.serialized) struct CredentialTests {
    private static func set(_ api: APIClient, _ token: String, _ upstream: String) async throws {
        let body: JSONValue = ["kind": "bearer", "token": .string(token), "upstream": .string(upstream)]
        let answer = try await api.send(.PUT, "/v1/credentials", body: try JSONEncoder().encode(body))
        #expect(answer.status == 200, "\(answer.text)")
        #expect(!answer.text.contains(token))
    }

    @Test func aCredentialIsUsedRotatedAndFoundNowhere() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let log = rookery.root.appending(path: "own-model.log").path
            let model = try RunningProgram(
                [Programs.built("scripted-model"), "--bind", "127.0.0.1:0", "--log", log], logs: rookery.root,
                name: "own-model")
            do {
                let upstream = try await model.line(startingWith: "scripted-model listening on ")
                try await Self.set(api, "a-very-secret-token-ONE1", upstream)
                let id = try await api.create()
                try await api.waitForScreen(id, containing: "❯")
                try await api.input(id, "SAY first")
                try await api.waitForScreen(id, containing: "● first")
                try await Self.set(api, "a-very-secret-token-TWO2", upstream)
                try await api.waitFor(id, activity: .idle)
                try await api.input(id, "SAY second")
                try await api.waitForScreen(id, containing: "● second")
                let seen = try String(contentsOfFile: log, encoding: .utf8)
                #expect(seen.contains("…ONE1"))
                #expect(seen.contains("…TWO2"))
                // What the sandbox shows goes no further.
                #expect(!seen.contains("…\(id.suffix(4))"))

                for process in rookery.processes(of: id) {
                    let environment = FileManager.default.contents(atPath: "/proc/\(process.pid)/environ") ?? Data()
                    #expect(environment.range(of: Data("very-secret".utf8)) == nil, "\(process.command)")
                }
                #expect(rookery.files(with: "very-secret") == [])
                let list = try await api.get("/v1/credentials")
                #expect(list.text.contains("bearer"))
                #expect(!list.text.contains("secret"))
            } catch {
                await model.end()
                throw error
            }
            await model.end()
        }
    }

    @Test func tokensThatExpireAreRenewedForAllAndNobodyIsLoggedOut() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let log = rookery.root.appending(path: "renewing-model.log").path
            let model = try RunningProgram(
                [
                    Programs.built("scripted-model"), "--bind", "127.0.0.1:0", "--log", log, "--refresh-token",
                    "first-refresh", "--token-lasts", "2",
                ], logs: rookery.root, name: "renewing-model")
            do {
                let upstream = try await model.line(startingWith: "scripted-model listening on ")
                let body: JSONValue = [
                    "kind": "oauth", "token": "long-expired", "refresh_token": "first-refresh",
                    "token_url": .string(upstream + "/oauth/token"), "upstream": .string(upstream),
                ]
                let answer = try await api.send(.PUT, "/v1/credentials", body: try JSONEncoder().encode(body))
                #expect(answer.status == 200, "\(answer.text)")
                let ids = [
                    try await api.create(["kind": "structured"]), try await api.create(["kind": "structured"]),
                ]
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for id in ids {
                        group.addTask {
                            let client = try await StreamClient(api, id)
                            for number in 1...4 {
                                let end = try await client.end(of: client.prompt("SAY number \(number)"))
                                #expect(end["outcome"] == "completed", "\(end)")
                                #expect(end["message"]?.string == "number \(number)")
                            }
                            #expect(await client.events(.turnRetrying).isEmpty)
                            await client.close()
                        }
                    }
                    try await group.waitForAll()
                }
                let seen = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
                let trades = seen.filter { $0.contains("/oauth/token") }
                // Eight turns at least, two messages a token.
                #expect(trades.count >= 4)
                #expect(trades.allSatisfy { $0.contains(#""refused":0"#) }, "\(trades)")
                #expect(seen.contains { $0.contains(#""refused":401"#) && !$0.contains("/oauth/token") })
                let list = try await api.get("/v1/credentials")
                #expect(list.json["items"]?.array?.first?["fault"] ?? .null == .null, "\(list.text)")
            } catch {
                await model.end()
                throw error
            }
            await model.end()
        }
    }
}
