import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// Permissions of terminal sessions, answered from elsewhere; and one session in both kinds.
@Suite(.serialized) struct PermissionTests {
    /// A session that asks, with somebody who watches.
    private func asking(
        _ rookery: Rookery, _ command: String
    ) async throws -> (id: String, client: StreamClient, permission: JSONValue) {
        let api = rookery.api
        let id = try await api.create()
        try await api.waitForScreen(id, containing: "❯")
        try await api.waitFor(id, activity: .idle)
        let client = try await StreamClient(api, id)
        try await client.command(.prompt(text: "BASH \(command)", images: [], clientID: nil))
        let asked = try await client.event(.permissionRequested)
        try await api.waitForScreen(id, containing: "Do you want to proceed?")
        return (id, client, asked)
    }

    @Test func anAnswerFromElsewhereClosesTheDialogOnTheScreen() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let (id, client, asked) = try await asking(rookery, "touch asked-first")
            #expect(asked["answerable"] == true)
            #expect(asked["visible"]?.string?.contains("touch asked-first") == true)
            let inbox = try await run(
                [
                    Programs.built("rookery"), "permissions", "--server", rookery.address, "--token-file",
                    rookery.stateDirectory + "/admin-token",
                ], logs: rookery.root)
            #expect(inbox.output.contains("touch asked-first"), "\(inbox)")

            let permission = try #require(asked["id"]?.string)
            let path = "/v1/sessions/\(id)/permissions/\(permission)"
            let answer = try await api.post(
                path, ["decision": "allow", "updated_input": ["command": "touch rewritten"]])
            #expect(answer.status == 200, "\(answer.text)")
            #expect(try await api.post(path, ["decision": "deny"]).status == 409)
            _ = try await client.event(.turnCompleted)
            let resolved = await client.events(.permissionResolved)
            #expect(resolved.count == 1)
            #expect(resolved.first?["via"] == "client")
            try await eventually("the tool's file") {
                FileManager.default.fileExists(atPath: rookery.path("/workspace/rewritten", of: id)) ? true : nil
            }
            let audit = try await api.get("/v1/audit").json["items"]?.array ?? []
            #expect(audit.first?["session_id"]?.string == id)
            #expect(audit.first?["detail"]?["resolution"] == "allowed")
            await client.close()
        }
    }

    @Test func anAnswerInTheTerminalResolvesTheCardElsewhere() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let (id, client, asked) = try await asking(rookery, "touch by-hand")
            let terminal = try await api.terminal(id)
            _ = try await terminal.waitForMessage(type: "snapshot")
            try await Task.sleep(for: .seconds(1))
            try await terminal.type("\r")
            let resolved = try await client.event(.permissionResolved)
            #expect(resolved["id"] == asked["id"])
            #expect(resolved["resolution"] == "allowed")
            #expect(resolved["via"] == "terminal")
            _ = try await client.event(.turnCompleted)
            let late = try await client.command(
                .answer(PermissionAnswer(id: asked["id"]?.string ?? "", decision: .deny)))
            #expect(late["error"]?["code"] == "already_answered", "\(late)")
            #expect(late["error"]?["data"]?["via"] == "terminal")

            // And a no.
            try await client.command(.prompt(text: "BASH touch never", images: [], clientID: nil))
            let second = try await client.event(.permissionRequested) { $0["id"] != asked["id"] }
            try await api.waitForScreen(id, containing: "touch never")
            try await Task.sleep(for: .seconds(1))
            try await terminal.type("\u{1b}")
            let denied = try await client.event(.permissionResolved) { $0["id"] == second["id"] }
            #expect(denied["resolution"] == "denied")
            #expect(denied["via"] == "terminal")
            await terminal.close()
            await client.close()
        }
    }

    @Test func aDenialFromElsewhereReachesTheModel() async throws {
        try await Rookery.with { rookery in
            let (id, client, asked) = try await asking(rookery, "touch never")
            try await client.command(
                .answer(PermissionAnswer(id: asked["id"]?.string ?? "", decision: .deny, message: "not while I watch")))
            _ = try await client.event(.turnCompleted)
            #expect(!FileManager.default.fileExists(atPath: rookery.path("/workspace/never", of: id)))
            try await rookery.api.waitForScreen(id, containing: "not while I watch")
            await client.close()
        }
    }

    @Test func anIdleSessionGoesOnInTheOtherKind() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(["kind": "structured"])
            let client = try await StreamClient(api, id)
            let busy = try await client.prompt("DRIP 30 0.3")
            _ = try await client.event(.messageDelta)
            let early = try await api.post("/v1/sessions/\(id)/switch", ["kind": "terminal"])
            #expect(early.status == 409, "\(early.text)")
            try await client.command(.interrupt)
            _ = try await client.end(of: busy)
            let said = try await client.prompt("SAY remember-me")
            _ = try await client.end(of: said)
            try await api.waitFor(id, activity: .idle)
            await client.close()

            let switched = try await run(
                [
                    Programs.built("rookery"), "switch", "--kind", "terminal", "--server", rookery.address,
                    "--token-file", rookery.stateDirectory + "/admin-token", id,
                ], logs: rookery.root)
            #expect(switched.status == 0, "\(switched)")
            #expect(try await api.session(id)["kind"] == "terminal")
            try await api.waitForScreen(id, containing: "remember-me")
            try await api.waitFor(id, activity: .idle)
            try await api.input(id, "RECALL")
            try await api.waitForScreen(id, containing: "SAY remember-me")
            try await api.waitFor(id, activity: .idle)

            #expect(try await api.post("/v1/sessions/\(id)/switch", ["kind": "structured"]).status == 200)
            let again = try await StreamClient(api, id)
            let recall = try await again.prompt("RECALL")
            #expect(try await again.end(of: recall)["message"]?.string?.contains("remember-me") == true)
            await again.close()
        }
    }
}
