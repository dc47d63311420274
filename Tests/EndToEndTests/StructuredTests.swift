import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// Structured sessions: the real Claude Code on its standard streams, in the real sandbox.
@Suite(.serialized) struct StructuredTests {
    private static let structured: JSONValue = ["kind": "structured"]

    @Test func aTurnIsToldFromPromptToCost() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(Self.structured)
            let client = try await StreamClient(api, id)
            let state = try await client.socket.waitForMessage(type: "state")
            #expect(state["data"]?["kind"] == "structured")
            #expect(state["data"]?["activity"] == "idle")

            let prompt = try await client.prompt("SAY in the structured kind")
            let end = try await client.end(of: prompt)
            #expect(end["outcome"] == "completed")
            #expect(end["message"] == "in the structured kind")
            #expect(end["duration_ms"]?.integer ?? -1 > 0)
            #expect(end["usage"]?["output_tokens"]?.integer ?? 0 > 0)
            guard case .number(let cost)? = end["cost_usd"] else { throw TimedOut(what: "no cost in \(end)") }
            #expect(cost > 0)
            let said = try await client.event(.messageAssistant)
            #expect(said["text"] == "in the structured kind")
            let pieces = await client.events(.messageDelta).compactMap { $0["text"]?.string }
            #expect(pieces.joined() == "in the structured kind")
            #expect(await client.events(.messageUser).first?["prompt_id"]?.string == prompt)
            #expect(await client.events(.inputDelivered).first?["prompt_id"]?.string == prompt)
            _ = try await client.event(.sessionActivity) { $0["activity"] == "idle" }
            try await api.waitFor(id, activity: .idle)
            #expect(await client.events(.turnStarted).count == 1)
            #expect(await client.events(.turnCompleted).count == 1)
            await client.close()

            // There is no terminal to look at, now or in its past, also while it rests.
            await #expect(throws: (any Error).self) { try await api.terminal(id) }
            for path in ["screen?format=text", "screen?format=json", "recording"] {
                let none = try await api.get("/v1/sessions/\(id)/\(path)")
                #expect(none.status == 409, "\(path): \(none.text)")
                #expect(none.json["detail"]?.string?.contains("structured") == true, "\(none.text)")
            }
            let half = try await api.post("/v1/sessions/\(id)/input", ["text": "half a line", "submit": false])
            #expect(half.status == 409, "\(half.text)")
            #expect(try await api.post("/v1/sessions/\(id)/park").status == 200)
            #expect(
                try await api.get("/v1/sessions/\(id)/screen").json["detail"]?.string?.contains("structured") == true)
            await #expect(throws: (any Error).self) { try await api.terminal(id, wake: true) }
            #expect(try await api.session(id)["lifecycle"] == "parked")
        }
    }

    @Test func promptsWaitForTheTurnAndCanBeTakenBackUntilTheyAreBegun() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(Self.structured)
            let client = try await StreamClient(api, id)
            let first = try await client.prompt("DRIP 12 0.3")
            _ = try await client.event(.messageDelta)
            let second = try await client.prompt("SAY never")
            let third = try await client.prompt("SAY third")
            let fourth = try await client.prompt("SAY fourth")
            _ = try await client.event(.promptQueued) { $0["prompt_id"]?.string == second }
            let taken = try await client.command(.withdraw(promptID: second))
            #expect(taken["ok"] == true, "\(taken)")
            let late = try await client.command(.withdraw(promptID: first))
            #expect(late["error"]?["code"] == "already_begun", "\(late)")
            #expect(try await client.end(of: first)["outcome"] == "completed")
            #expect(try await client.end(of: third)["outcome"] == "completed")
            #expect(try await client.end(of: fourth)["outcome"] == "completed")
            try await api.waitFor(id, activity: .idle)
            let ended = await client.events(.turnCompleted).flatMap { $0["prompt_ids"]?.array ?? [] }
            #expect(Set(ended.compactMap(\.string)) == [first, third, fourth])
            #expect(ended.count == 3)
            #expect(await client.events(.promptWithdrawn).first?["prompt_id"]?.string == second)
            let says = await client.events(.messageAssistant).compactMap { $0["text"]?.string }
            #expect(!says.contains("never"))
            await client.close()
        }
    }

    @Test func anInterruptEndsTheTurnAndSaysSo() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(Self.structured)
            let client = try await StreamClient(api, id)
            let prompt = try await client.prompt("DRIP 100 0.3")
            _ = try await client.event(.messageDelta)
            let answer = try await client.command(.interrupt)
            #expect(answer["ok"] == true, "\(answer)")
            let end = try await client.end(of: prompt)
            #expect(end["outcome"] == "interrupted")
            #expect(end["reason"] == "aborted_streaming")
            try await api.waitFor(id, activity: .idle)
            await client.close()
        }
    }

    @Test func theFirstAnswerToAPermissionCountsAndTheOthersLearnWhoseItWas() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(Self.structured)
            let client = try await StreamClient(api, id)
            let prompt = try await client.prompt("BASH touch asked-first")
            let asked = try await client.event(.permissionRequested)
            #expect(asked["tool_name"] == "Bash")
            #expect(asked["visible"]?.string?.contains("command: touch asked-first") == true, "\(asked)")
            try await api.waitFor(id, activity: .pending)
            let inbox = try await api.get("/v1/permissions").json["items"]?.array ?? []
            #expect(inbox.map { $0["session_id"]?.string } == [id])
            #expect(inbox.first?["id"] == asked["id"])

            let permission = try #require(asked["id"]?.string)
            let path = "/v1/sessions/\(id)/permissions/\(permission)"
            let answer = try await api.post(
                path, ["decision": "allow", "updated_input": ["command": "touch rewritten"]])
            #expect(answer.status == 200, "\(answer.text)")
            let late = try await api.post(path, ["decision": "deny"])
            #expect(late.status == 409)
            #expect(late.json["code"] == "already_answered")
            #expect(late.json["by"] == "admin" || late.json["by"]?.string?.isEmpty == false, "\(late.text)")
            #expect(late.json["decision"] == "allowed")

            let resolved = try await client.event(.permissionResolved)
            #expect(resolved["resolution"] == "allowed")
            #expect(resolved["via"] == "client")
            #expect(resolved["updated"] == true)
            #expect(try await client.end(of: prompt)["outcome"] == "completed")
            let files = FileManager.default
            #expect(files.fileExists(atPath: rookery.path("/workspace/rewritten", of: id)))
            #expect(!files.fileExists(atPath: rookery.path("/workspace/asked-first", of: id)))
            let unknown = try await api.post("/v1/sessions/\(id)/permissions/nonsense", ["decision": "deny"])
            #expect(unknown.status == 404)
            await client.close()
        }
    }

    @Test func aDenialReachesTheModelAndSeveralPermissionsAreOpenAtOnce() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(Self.structured)
            let client = try await StreamClient(api, id)
            let prompt = try await client.prompt("PARFETCH 2")
            try await eventually("two open permissions") {
                let open = try await api.get("/v1/sessions/\(id)/permissions").json["items"]?.array ?? []
                return open.count == 2 ? true : nil
            }
            let ids = await client.events(.permissionRequested).compactMap { $0["id"]?.string }
            let denied = try await client.command(
                .answer(PermissionAnswer(id: ids[0], decision: .deny, message: "not today")))
            #expect(denied["ok"] == true, "\(denied)")
            // One is answered, the other is still asked.
            try await api.waitFor(id, activity: .pending)
            _ = try await client.command(.answer(PermissionAnswer(id: ids[1], decision: .deny, message: "nor this")))
            let end = try await client.end(of: prompt)
            #expect(end["denials"] == 2, "\(end)")
            let outputs = await client.events(.toolCompleted).compactMap { $0["output"]?.string }
            #expect(outputs.contains("not today"))

            // An interrupt takes back what is asked.
            let next = try await client.prompt("BASH touch never")
            _ = try await client.event(.permissionRequested) { $0["tool_name"] == "Bash" }
            try await client.command(.interrupt)
            let withdrawn = try await client.event(.permissionResolved) { $0["tool_name"] == "Bash" }
            #expect(withdrawn["resolution"] == "withdrawn")
            #expect(try await client.end(of: next)["outcome"] == "interrupted")
            await client.close()
        }
    }

    @Test func questionsModesModelsAndNamesGoThrough() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(Self.structured)
            let client = try await StreamClient(api, id)
            let question =
                #"TOOL AskUserQuestion {"questions":[{"question":"Which color?","header":"Color","multiSelect":false,"#
                + #""options":[{"label":"Red","description":"r"},{"label":"Blue","description":"b"}]}]}"#
            let prompt = try await client.prompt(question)
            let asked = try await client.event(.permissionRequested)
            #expect(asked["kind"] == "question")
            let permission = try #require(asked["id"]?.string)
            try await client.command(
                .answer(PermissionAnswer(id: permission, decision: .allow, answers: ["Which color?": "Blue"])))
            #expect(try await client.end(of: prompt)["outcome"] == "completed")
            let output = await client.events(.toolCompleted).first?["output"]?.string
            #expect(output?.contains("Blue") == true, "\(output ?? "-")")

            let mode = try await client.command(.setPermissionMode("plan"))
            #expect(mode["data"]?["mode"] == "plan", "\(mode)")
            let bypass = try await client.command(.setPermissionMode("bypassPermissions"))
            #expect(bypass["error"]?["code"] == "not_allowed", "\(bypass)")
            let model = try await client.command(.setModel("claude-haiku-4-5"))
            #expect(model["ok"] == true, "\(model)")
            let name = try await client.command(.rename(title: "a new name"))
            #expect(name["ok"] == true, "\(name)")
            #expect(try await client.command(.mcpStatus)["data"]?["mcpServers"] == [])
            let state = try await client.command(.state)["data"]?["settings"]
            #expect(state?["permission_mode"] == "plan")
            #expect(state?["title"] == "a new name")
            #expect(state?["model"] == "claude-haiku-4-5")
            await client.close()
        }
    }

    @Test func whatIsNoCommandHarmsNobody() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(Self.structured)
            let client = try await StreamClient(api, id)
            for text in ["", "{", "nonsense\n", "[]", #"{"type":"x"}"#, #"{"type":"prompt","text":{}}"#] {
                try await client.socket.send(text: text)
            }
            try await client.socket.type("binary")
            try await eventually("seven refusals") {
                let refused = await client.socket.messages.filter { $0["ok"] == false }
                return refused.count == 7 ? true : nil
            }
            // A prompt that would be a line of its own, were it passed on as it is.
            let prompt = try await client.prompt("SAY one\n{\"type\":\"control_request\"}\nnot json")
            #expect(try await client.end(of: prompt)["outcome"] == "completed")
            await client.close()
        }
    }

    @Test func aSessionThatIsStoppedGoesOnWhereItWas() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(Self.structured)
            let client = try await StreamClient(api, id)
            let first = try await client.prompt("SAY remember-me")
            #expect(try await client.end(of: first)["outcome"] == "completed")
            let running = try await client.prompt("DRIP 100 0.3")
            _ = try await client.event(.messageDelta) { $0["text"]?.string?.contains("drip") ?? false }
            #expect(try await api.post("/v1/sessions/\(id)/stop").status == 200)
            let end = try await client.end(of: running)
            #expect(end["outcome"] == "interrupted")
            await client.close()
            #expect(try await api.session(id)["lifecycle"] == "stopped")
            #expect(try await api.post("/v1/sessions/\(id)/resume").status == 200)
            let again = try await StreamClient(api, id)
            let recall = try await again.prompt("RECALL")
            let told = try await again.end(of: recall)
            #expect(told["message"]?.string?.contains("remember-me") == true, "\(told)")
            // What was interrupted is not begun again.
            #expect(await again.events(.turnStarted).count == 1)
            await again.close()
        }
    }

    @Test func aPromptThatNobodyBeganSurvivesItsWorker() async throws {
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(Self.structured)
            let client = try await StreamClient(api, id)
            let running = try await client.prompt("DRIP 100 0.3")
            _ = try await client.event(.messageDelta)
            let queued = try await client.prompt("SAY after-the-crash")
            _ = try await client.event(.promptQueued) { $0["prompt_id"]?.string == queued }
            let worker = try #require(rookery.processes(of: id).first { $0.command.contains("rookery-worker") })
            kill(worker.pid, SIGKILL)
            let again = try await eventually("the session to run again", within: .seconds(60)) {
                try? await StreamClient(api, id, since: 0)
            }
            let end = try await again.end(of: queued)
            #expect(end["outcome"] == "completed")
            #expect(end["message"] == "after-the-crash")
            let lost = await again.events(.turnCompleted).filter { $0["reason"] == "worker_lost" }
            #expect(lost.count == 1)
            // The one that was running was taken: it is not begun again.
            let begun = await again.events(.turnStarted).filter {
                $0["prompt_ids"]?.array?.contains(.string(running)) ?? false
            }
            #expect(begun.count == 1)
            await again.close()
        }
    }
}
