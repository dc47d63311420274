import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// A policy that offers channels, with the real Claude Code, which takes none where Anthropic has not switched them on.
@Suite(.serialized) struct ChannelTests {
    @Test func whatIsNotTakenAsANotificationIsSaidOnceAllTheSame() async throws {
        let options = RookeryOptions(auth: "none", policies: ["default": "channels: true\n"])
        try await Rookery.with(options) { rookery in
            let client = try await WebSocketClient(rookery.address, path: "/?session=chat&echo=1")
            func say(_ text: String) async throws -> Duration {
                let begin = ContinuousClock.now
                try await client.send(["type": "message", "content": .string("SAY \(text)"), "user": "ann"])
                _ = try await client.waitForMessage(type: "reply") { $0["content"]?.string?.contains(text) == true }
                _ = try await client.waitForMessage(type: "status") { $0["status"] == "idle" }
                return ContinuousClock.now - begin
            }
            _ = try await say("the-first")
            let id = try #require(try await rookery.api.sessions().first?["id"]?.string)
            rookery.created.add(id)
            try await rookery.api.waitFor(id, activity: .idle)
            try await eventually("the session to listen") {
                workerLog(rookery, id).contains("listens to its channel") ? true : nil
            }
            // This one goes as a notification, is dropped, and comes as a prompt.
            let tried = try await say("the-second")
            #expect(tried > .seconds(5) && tried < .seconds(20), "\(tried)")
            try await rookery.api.waitFor(id, activity: .idle)
            let later = try await say("the-third")
            #expect(later < .seconds(5), "\(later)")
            // Once each, and nowhere as a notification.
            let transcript = try await rookery.api.get("/v1/sessions/\(id)/transcript?limit=500").text
            #expect(!transcript.contains("<channel"), "\(transcript)")
            try await client.send(["type": "fetch_history", "limit": 100])
            let history = try await client.waitForMessage(type: "history")["messages"]?.array ?? []
            #expect(
                history.map { $0["role"]?.string } == ["user", "assistant", "user", "assistant", "user", "assistant"])
            let standing = try await rookery.api.post("/v1/sessions/\(id)/commands", ["type": "state"]).json
            #expect(standing["settings"]?["channels"] == "refused", "\(standing)")
            #expect(workerLog(rookery, id).split(separator: "\n").count { $0.contains("was not taken") } == 1)
            await client.close()
        }
    }

    @Test func whatWasTriedAsItsWorkerDiedIsSaidOnceToTheNext() async throws {
        let options = RookeryOptions(auth: "none", policies: ["default": "channels: true\n"])
        try await Rookery.with(options) { rookery in
            let client = try await WebSocketClient(rookery.address, path: "/?session=chat")
            try await client.send(["type": "message", "content": "SAY the-first"])
            _ = try await client.waitForMessage(type: "reply") { $0["content"]?.string?.contains("the-first") == true }
            let id = try #require(try await rookery.api.sessions().first?["id"]?.string)
            rookery.created.add(id)
            try await rookery.api.waitFor(id, activity: .idle)
            try await eventually("the session to listen") {
                workerLog(rookery, id).contains("listens to its channel") ? true : nil
            }
            try await client.send(["type": "message", "content": "SAY in-between"])
            try await rookery.api.waitFor(id, activity: .working)
            try await Task.sleep(for: .seconds(1))
            kill(try #require(rookery.worker(of: id)), SIGKILL)
            _ = try await client.waitForMessage(type: "reply") { $0["content"]?.string?.contains("in-between") == true }
            try await rookery.api.waitFor(id, activity: .idle)
            try await client.send(["type": "message", "content": "RECALL"])
            let told =
                try await client.waitForMessage(type: "reply") {
                    $0["content"]?.string?.contains("SAY the-first") == true
                }["content"]?.string ?? ""
            #expect(told.components(separatedBy: "SAY in-between").count == 2, "\(told)")
            await client.close()
        }
    }

    private func workerLog(_ rookery: Rookery, _ id: String) -> String {
        (try? String(contentsOfFile: "\(rookery.stateDirectory)/sessions/\(id)/worker.log", encoding: .utf8)) ?? ""
    }
}
