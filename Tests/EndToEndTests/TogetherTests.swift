import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// One session, seen and steered by all its clients at once.
@Suite struct TogetherTests {
    /// The terminal's page types a prompt whose tool asks; a client of the stream is told the exact state; an approver, who
    /// may neither make nor type into sessions, allows it on a phone; all three see what came of it.
    @Test func aTerminalAStructuredClientAndAnApproverShareOneSession() async throws {
        try await Rookery.with { rookery in
            try #require(
                FileManager.default.isExecutableFile(atPath: BrowserTests.python),
                "run Scripts/setup test first: no Playwright")
            let api = rookery.api
            let made = try await api.post("/v1/tokens", ["name": "phone", "role": "approver"])
            let secret = try #require(made.json["token"]?.string, "\(made.text)")
            let approver = rookery.root.appending(path: "approver-token")
            try secret.write(to: approver, atomically: true, encoding: .utf8)
            let id = try await api.create(["name": "shared"])
            try await api.waitForScreen(id, containing: "❯")
            try await api.waitFor(id, activity: .idle)
            let client = try await StreamClient(api, id)
            let state = try await client.socket.waitForMessage(type: "state")
            #expect(state["data"]?["activity"] == "idle")

            let script = Programs.packageRoot.appending(path: "Tests/Browser/together_test.py").path
            let command = [
                BrowserTests.python, script, rookery.address, "\(rookery.stateDirectory)/admin-token", approver.path,
                id,
                rookery.root.path,
            ]
            let root = rookery.root
            async let browsers = run(command, within: .seconds(300), logs: root)

            let asked = try await client.event(.permissionRequested)
            #expect(asked["visible"]?.string?.contains("touch made-together") == true, "\(asked)")
            _ = try await client.event(.sessionActivity) { $0["activity"] == "pending" }
            let pending = try await client.command(.state)["data"]
            #expect(pending?["activity"] == "pending")
            #expect(pending?["permissions"]?.array?.compactMap { $0["id"] } == [asked["id"] ?? .null])
            let resolved = try await client.event(.permissionResolved)
            #expect(resolved["id"] == asked["id"])
            #expect(resolved["resolution"] == "allowed")
            #expect(resolved["via"] == "client")
            let end = try await client.event(.turnCompleted)
            #expect(end["outcome"] == "completed", "\(end)")
            let result = try await browsers
            #expect(result.status == 0, "\(result.errors)")
            try await api.waitFor(id, activity: .idle)

            // Working, pending, working, idle, and nothing else; and one of each of the rest.
            let activities = await client.events(.sessionActivity).compactMap { $0["activity"]?.string }
            #expect(activities == ["working", "pending", "working", "idle"])
            for type in [EventType.turnStarted, .turnCompleted, .permissionRequested, .permissionResolved] {
                #expect(await client.events(type).count == 1, "\(type)")
            }
            let tools = await client.events(.toolCompleted)
            #expect(tools.map { $0["is_error"] } == [false])
            #expect(FileManager.default.fileExists(atPath: rookery.path("/workspace/made-together", of: id)))
            let audit = try await api.get("/v1/audit").json["items"]?.array ?? []
            #expect(audit.first?["actor"] == resolved["by"])
            #expect(try await api.get("/v1/permissions").json["items"] == [])
            await client.close()
        }
    }
}
