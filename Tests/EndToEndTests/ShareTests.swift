import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// Links that let others into one session, with real workers behind them.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ShareTests {
    private struct Link {
        var id: String
        var path: String
        /// The API as its holder uses it.
        var api: APIClient
    }

    private func share(_ rookery: Rookery, _ session: String, _ role: String) async throws -> Link {
        let made = try await rookery.api.post(
            "/v1/sessions/\(session)/shares", ["role": .string(role), "expires_in": "1h"])
        let id = try #require(made.json["id"]?.string, "\(made.text)")
        let token = try #require(made.json["token"]?.string)
        let path = try #require(made.json["path"]?.string)
        var api = rookery.api
        api.token = token
        return Link(id: id, path: path, api: api)
    }

    private func closed(_ socket: WebSocketClient, within limit: Duration) async throws {
        let start = ContinuousClock.now
        try await eventually("the end of the connection", within: .seconds(10)) {
            await socket.closeCode == 4401 ? true : nil
        }
        #expect(ContinuousClock.now - start < limit)
    }

    @Test(arguments: ["terminal", "structured"])
    func aLinkDoesWhatItsRoleMayUntilItIsRevoked(kind: String) async throws {
        try await Rookery.with { rookery in
            let owner = rookery.api
            let (id, other) = (try await owner.create(["kind": .string(kind)]), try await owner.create())
            let links = [
                "view": try await share(rookery, id, "view"), "approve": try await share(rookery, id, "approve"),
                "drive": try await share(rookery, id, "drive"),
            ]
            guard let viewer = links["view"], let approver = links["approve"], let driver = links["drive"] else {
                return
            }
            for link in links.values {
                #expect(try await link.api.get("/v1/sessions/\(id)").status == 200)
                #expect(try await link.api.get("/v1/sessions/\(other)").status == 404)
                #expect(try await link.api.get("/v1/sessions").status == 403)
                #expect(try await link.api.post("/v1/sessions/\(id)/stop").status == 403)
                await #expect(throws: (any Error).self) { try await StreamClient(link.api, other) }
            }
            if kind == "terminal" { try await owner.waitForScreen(id, containing: "❯") }
            try await owner.waitFor(id, activity: .idle)

            let watching = try await StreamClient(viewer.api, id)
            let state = try await watching.socket.waitForMessage(type: "state")
            #expect(state["access"] == "view")
            let refused = try await watching.command(.prompt(text: "SAY no", images: [], clientID: nil))
            #expect(refused["error"]?["code"] == "not_allowed")
            let driving = try await StreamClient(driver.api, id)
            try await driving.command(.prompt(text: "BASH touch by-link", images: [], clientID: nil))
            let asked = try await watching.event(.permissionRequested)
            let path = "/v1/sessions/\(id)/permissions/\(asked["id"]?.string ?? "")"
            #expect(try await viewer.api.post(path, ["decision": "allow"]).status == 403)
            #expect(try await viewer.api.get("/v1/permissions").json["items"] == [])
            let inbox = try await approver.api.get("/v1/permissions").json["items"]?.array ?? []
            #expect(inbox.map { $0["id"] } == [asked["id"]])
            let forAll = try await approver.api.post(path, ["decision": "allow", "remember": "tenant"])
            #expect(forAll.status == 403, "\(forAll.text)")
            #expect(try await approver.api.post(path, ["decision": "allow"]).status == 200)
            let resolved = try await watching.event(.permissionResolved)
            #expect(resolved["by"]?.string == "share link \(approver.id)")
            _ = try await watching.event(.turnCompleted)
            try await eventually("the tool's file") {
                FileManager.default.fileExists(atPath: rookery.path("/workspace/by-link", of: id)) ? true : nil
            }
            let audit = try await owner.get("/v1/audit").json["items"]?.array ?? []
            #expect(audit.first?["actor"]?.string == "share link \(approver.id)")
            #expect(audit.filter { $0["action"] == "share.create" }.count == 3)

            // What is open ends within a second, at the worker that has it; what others have goes on.
            var sockets = [watching.socket]
            if kind == "terminal" {
                let terminal = try await viewer.api.terminal(id, mode: "view")
                _ = try await terminal.waitForMessage(type: "snapshot")
                sockets.append(terminal)
                #expect(rookery.relayed == 0)
            }
            #expect(try await owner.delete("/v1/sessions/\(id)/shares/\(viewer.id)").status == 204)
            for socket in sockets { try await closed(socket, within: .seconds(1)) }
            #expect(try await viewer.api.get("/v1/sessions/\(id)").status == 401)
            await #expect(throws: (any Error).self) { try await StreamClient(viewer.api, id) }
            #expect(try await driving.command(.state)["ok"] == true)
            #expect(try await owner.get("/v1/sessions/\(id)/shares").json["items"]?.array?.count == 2)
            await driving.close()
        }
    }

    @Test func whatALinkOpenedOutlivesTheSupervisorAndIsClosedByTheNext() async throws {
        try await Rookery.with { rookery in
            let id = try await rookery.api.create(["kind": "structured"])
            try await rookery.api.waitFor(id, activity: .idle)
            let (kept, lost) = (try await share(rookery, id, "view"), try await share(rookery, id, "drive"))
            let (keeps, loses) = (try await StreamClient(kept.api, id), try await StreamClient(lost.api, id))
            for client in [keeps, loses] { _ = try await client.socket.waitForMessage(type: "state") }
            await rookery.endSupervisor(signal: SIGKILL)
            try await rookery.restartIfDead()
            try await rookery.api.waitFor(id, activity: .idle)
            #expect(try await loses.command(.state)["ok"] == true)
            #expect(try await rookery.api.delete("/v1/sessions/\(id)/shares/\(lost.id)").status == 204)
            try await closed(loses.socket, within: .seconds(1))
            #expect(try await keeps.command(.state)["ok"] == true)
            await keeps.close()
        }
    }

    @Test func aLinkEndsWithTheTokenThatMadeIt() async throws {
        try await Rookery.with { rookery in
            let admin = rookery.api
            let id = try await admin.create(["kind": "structured"])
            try await admin.waitFor(id, activity: .idle)
            let token = try await admin.post("/v1/tokens", ["role": "admin", "name": "lent"])
            var lent = admin
            lent.token = token.json["token"]?.string
            let made = try await lent.post("/v1/sessions/\(id)/shares", ["role": "drive"])
            #expect(made.status == 201, "\(made.text)")
            var api = admin
            api.token = made.json["token"]?.string
            let own = try await share(rookery, id, "view")
            let (loses, keeps) = (try await StreamClient(api, id), try await StreamClient(own.api, id))
            for client in [loses, keeps] { _ = try await client.socket.waitForMessage(type: "state") }
            let events = Task { [api] in try await api.events("/v1/sessions/\(id)/events") { _ in false } }
            let tokenID = token.json["id"]?.string ?? ""
            #expect(try await admin.delete("/v1/tokens/\(tokenID)").status == 204)
            try await closed(loses.socket, within: .seconds(1))
            #expect(try await api.get("/v1/sessions/\(id)").status == 401)
            _ = try? await events.value
            #expect(try await keeps.command(.state)["ok"] == true)
            let left = try await admin.get("/v1/sessions/\(id)/shares").json["items"]?.array ?? []
            #expect(left.map { $0["id"]?.string } == [own.id])
            let audit = try await admin.get("/v1/audit").json["items"]?.array ?? []
            #expect(audit.prefix(2).map { $0["action"] } == ["share.revoke", "token.revoke"])
            await keeps.close()
        }
    }

    @Test func thePageOpensFromALinkAndOffersWhatItsRoleMay() async throws {
        try await Rookery.with { rookery in
            try #require(
                FileManager.default.isExecutableFile(atPath: BrowserTests.python),
                "run Scripts/setup test first: no Playwright")
            let id = try await rookery.api.create(["kind": "structured"])
            let parked = try await rookery.api.create()
            try await rookery.api.waitForScreen(parked, containing: "❯")
            try await rookery.api.waitFor(parked, activity: .idle)
            try await rookery.api.waitFor(id, activity: .idle)
            var links: [String] = []
            for role in ["view", "approve", "drive"] { links.append(try await share(rookery, id, role).path) }
            let last = try await share(rookery, parked, "drive")
            #expect(try await rookery.api.post("/v1/sessions/\(parked)/park").status == 200)
            let script = Programs.packageRoot.appending(path: "Tests/Browser/share_test.py").path
            let command =
                [BrowserTests.python, script, rookery.root.path] + (links + [last.path]).map { rookery.address + $0 }
            let root = rookery.root
            async let browsers = run(command, within: .seconds(300), logs: root)
            do {
                try await rookery.api.waitForScreen(parked, containing: "● bye", within: .seconds(240))
                #expect(try await rookery.api.delete("/v1/sessions/\(parked)/shares/\(last.id)").status == 204)
            } catch { Issue.record(error) }
            let result = try await browsers
            #expect(result.status == 0, "\(result.errors)")
        }
    }

    @Test func theCommandLineSharesListsAndRevokes() async throws {
        try await Rookery.with { rookery in
            let id = try await rookery.api.create(["kind": "structured", "name": "shared-thing"])
            func rookeryCommand(_ arguments: String...) async throws -> (status: Int32, output: String, errors: String)
            {
                try await run(
                    [Programs.built("rookery")] + arguments + [
                        "--server", rookery.address, "--token-file", rookery.stateDirectory + "/admin-token",
                    ], logs: rookery.root)
            }
            let made = try await rookeryCommand("share", "shared-thing", "--role", "approve", "--name", "Ann")
            #expect(made.status == 0, "\(made)")
            let link = made.output.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(link.hasPrefix("\(rookery.address)/?id=\(id)#share=rs_"))
            let list = try await rookeryCommand("shares", "shared-thing")
            #expect(list.output.contains("approve") && list.output.contains("Ann"), "\(list)")
            let token = try #require(link.split(separator: "=").last.map(String.init))
            #expect(!list.output.contains(token.suffix(64)))
            var holder = rookery.api
            holder.token = token
            #expect(try await holder.get("/v1/me").json["access"] == "approve")
            let gone = try await rookeryCommand(
                "unshare", "shared-thing", String(token.dropFirst(3).prefix(12)))
            #expect(gone.status == 0, "\(gone)")
            #expect(try await holder.get("/v1/me").status == 401)
            let unknown = try await rookeryCommand("unshare", "shared-thing", "aaaaaaaaaaaa")
            #expect(unknown.status == 1)
        }
    }
}
