import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// What a policy answers in the place of a person, with the real Claude Code of both kinds.
@Suite(.serialized, .timeLimit(.minutes(10))) struct PolicyPermissionTests {
    private func session(
        _ kind: String, _ policy: String, _ body: (Rookery, String, StreamClient) async throws -> Void
    ) async throws {
        try await Rookery.with(RookeryOptions(policies: ["ruled": policy])) { rookery in
            let id = try await rookery.api.create(["kind": .string(kind), "policy": "ruled"])
            if kind == "terminal" { try await rookery.api.waitForScreen(id, containing: "❯") }
            try await rookery.api.waitFor(id, activity: .idle)
            let client = try await StreamClient(rookery.api, id)
            try await body(rookery, id, client)
            await client.close()
        }
    }

    private func audited(_ rookery: Rookery, _ via: String) async throws -> JSONValue {
        try await eventually("the audit") {
            try await rookery.api.get("/v1/audit").json["items"]?.array?.first { $0["detail"]?["via"]?.string == via }
        }
    }

    @Test(arguments: ["terminal", "structured"]) func whatARuleAllowsIsAskedToldAndAudited(kind: String) async throws {
        try await session(kind, "permission_allow: ['Bash(touch by-policy:*)']\n") { rookery, id, client in
            try await client.command(.prompt(text: "BASH touch by-policy-not", images: [], clientID: nil))
            let asked = try await client.event(.permissionRequested)
            // Whoever is told of it, and asks, is told that the session waits.
            let state = try await client.command(.state)
            #expect(state["data"]?["activity"] == "pending")
            #expect(await client.events(.sessionActivity).last?["activity"] == "pending")
            try await client.command(.answer(PermissionAnswer(id: asked["id"]?.string ?? "", decision: .deny)))
            _ = try await client.event(.turnCompleted)
            try await rookery.api.waitFor(id, activity: .idle)

            try await client.command(.prompt(text: "BASH touch by-policy", images: [], clientID: nil))
            let resolved = try await client.event(.permissionResolved) { $0["via"] == "policy" }
            #expect(resolved["resolution"] == "allowed")
            #expect(resolved["by"] == nil)
            try await eventually("the tool's file") {
                FileManager.default.fileExists(atPath: rookery.path("/workspace/by-policy", of: id)) ? true : nil
            }
            try await rookery.api.waitFor(id, activity: .idle)
            #expect(!FileManager.default.fileExists(atPath: rookery.path("/workspace/by-policy-not", of: id)))
            #expect(await client.events(.permissionRequested).count == 2)
            let record = try await audited(rookery, "policy")
            #expect(record["actor"] == "policy ruled")
            #expect(record["session_id"]?.string == id)
            let late = try await client.command(
                .answer(PermissionAnswer(id: resolved["id"]?.string ?? "", decision: .deny)))
            #expect(late["error"]?["code"] == "already_answered")
            #expect(late["error"]?["data"]?["via"] == "policy")
        }
    }

    @Test(arguments: ["terminal", "structured"]) func whatNobodyAnswersInTimeIsDenied(kind: String) async throws {
        try await session(kind, "permission_timeout: 3s\n") { rookery, id, client in
            try await client.command(.prompt(text: "BASH touch too-late", images: [], clientID: nil))
            let asked = try await client.event(.permissionRequested)
            #expect(asked["expires_at"]?.string != nil)
            let resolved = try await client.event(.permissionResolved)
            #expect(resolved["resolution"] == "denied")
            #expect(resolved["via"] == "timeout")
            try await rookery.api.waitFor(id, activity: .idle)
            #expect(!FileManager.default.fileExists(atPath: rookery.path("/workspace/too-late", of: id)))
            #expect(try await audited(rookery, "timeout")["actor"] == "policy ruled")
        }
    }

    @Test(arguments: ["terminal", "structured"])
    func whatIsRememberedIsNotAskedAgainInTheSessionAndFromAnAdminInTheTenantsNext(kind: String) async throws {
        try await session(kind, "description: Asks.\n") { rookery, id, client in
            func ask(_ client: StreamClient, _ id: String, _ file: String) async throws {
                try await client.command(.prompt(text: "BASH touch \(file)", images: [], clientID: nil))
            }
            func made(_ file: String, _ id: String) async throws {
                try await eventually("the tool's file \(file)") {
                    FileManager.default.fileExists(atPath: rookery.path("/workspace/\(file)", of: id)) ? true : nil
                }
                try await rookery.api.waitFor(id, activity: .idle)
            }
            func allow(_ file: String, _ remember: PermissionAnswer.Remember) async throws {
                try await ask(client, id, file)
                let asked = try await client.event(.permissionRequested) {
                    $0["tool_input"]?["command"]?.string == "touch \(file)"
                }
                let answer = PermissionAnswer(id: asked["id"]?.string ?? "", decision: .allow, remember: remember)
                #expect(try await client.command(.answer(answer))["ok"] == true)
                try await made(file, id)
                try FileManager.default.removeItem(atPath: rookery.path("/workspace/\(file)", of: id))
            }
            try await allow("for-the-session", .session)
            try await ask(client, id, "for-the-session")
            try await made("for-the-session", id)
            try await allow("for-the-tenant", .tenant)
            #expect(await client.events(.permissionRequested).count == 2)

            let next = try await rookery.api.create(["kind": .string(kind), "policy": "ruled"])
            if kind == "terminal" { try await rookery.api.waitForScreen(next, containing: "❯") }
            try await rookery.api.waitFor(next, activity: .idle)
            let other = try await StreamClient(rookery.api, next)
            try await ask(other, next, "for-the-tenant")
            try await made("for-the-tenant", next)
            #expect(await other.events(.permissionRequested).isEmpty)
            try await ask(other, next, "for-the-session")
            _ = try await other.event(.permissionRequested)
            await other.close()
        }
    }
}
