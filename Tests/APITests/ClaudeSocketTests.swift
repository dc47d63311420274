import Foundation
import Registry
import SessionCore
import Supervisor
import Testing

@testable import API

/// claude-socket's clients on the wire (seed-protocols 2), as its own conformance test sees it and beyond.
@Suite(.timeLimit(.minutes(2))) struct ClaudeSocketTests {
    @Test func theFirstMessageMakesTheSessionAndIsInTheHistoryAtOnce() async throws {
        try await ServerFixture.run { server in
            let client = try await DialectClient(server.port, "/?session=mine")
            #expect(try await client.ask(#"{"type":"fetch_history","session_id":"mine"}"#)["messages"] == [])
            #expect(await server.sessions.records.isEmpty, "looking makes nothing")
            try await client.send(#"{"type":"message","session_id":"mine","content":"hello","user":"u"}"#)
            let history = try await client.ask(#"{"type":"fetch_history","session_id":"mine"}"#)
            #expect(history["messages"]?.array?.count == 1)
            #expect(history["messages"]?.array?.first?["role"] == "user")
            #expect(history["messages"]?.array?.first?["content"] == "hello")
            // With what the client says of itself, for a session that shows it to its model.
            try await eventually("the input") {
                await server.sessions.calls.contains { $0.hasPrefix("prompt hello - 0 mine u -") }
            }
            let id = try #require(await server.sessions.records.keys.first)
            #expect(await server.sessions.records[id]?.name == "claude-socket mine")
            #expect(await server.sessions.lastCreation?.kind == .structured)
            // What the session says of it is not said again; what it answers is.
            try await eventually("the feed") { await server.sessions.calls.contains("events") }
            await server.sessions.emit(id, 1, .messageUser, ["text": "hello"])
            await server.sessions.emit(id, 2, .messageAssistant, ["text": "hi"])
            let reply = try await client.next("reply")
            #expect(reply["content"] == "hi")
            #expect(reply["session_id"] == "mine")
            #expect(reply["message_id"] == "0000000000000002")
            let both = try await client.ask(#"{"type":"fetch_history","session_id":"mine","limit":100}"#)
            #expect(both["messages"]?.array?.map { $0["role"]?.string } == ["user", "assistant"])
            // The same name again is the same session.
            let other = try await DialectClient(server.port, "/?session=mine")
            let same = try await other.ask(#"{"type":"fetch_history"}"#)
            #expect(same["messages"] == both["messages"])
            #expect(await server.sessions.records.count == 1)
        }
    }

    @Test func whoConnectedBeforeTheSessionWasMadeHearsItToo() async throws {
        try await ServerFixture.run { server in
            let early = try await DialectClient(server.port, "/?session=s")
            _ = try await early.ask(#"{"type":"fetch_history"}"#)
            let client = try await DialectClient(server.port, "/?session=s")
            try await client.send(#"{"type":"message","content":"hello"}"#)
            try await eventually("the feed") { await server.sessions.calls.contains("events") }
            let id = try #require(await server.sessions.records.keys.first)
            await server.sessions.emit(id, 1, .messageAssistant, ["text": "hi"])
            #expect(try await early.next("reply")["content"] == "hi")
            #expect(try await client.next("reply")["content"] == "hi")
        }
    }

    @Test func sessionsAreIsolated() async throws {
        try await ServerFixture.run { server in
            let one = try await DialectClient(server.port, "/?session=one")
            let two = try await DialectClient(server.port, "/?session=two")
            try await one.send(#"{"type":"message","session_id":"one","content":"for one"}"#)
            #expect(try await one.ask(#"{"type":"fetch_history","session_id":"one"}"#)["messages"]?.array?.count == 1)
            #expect(try await two.ask(#"{"type":"fetch_history","session_id":"two"}"#)["messages"] == [])
        }
    }

    @Test func badMessagesAreAnsweredAndTheConnectionStays() async throws {
        try await ServerFixture.run { server in
            let client = try await DialectClient(server.port, "/")
            #expect(try await client.ask("nonsense")["message"] == "invalid JSON")
            let unknown = try await client.ask(#"{"type":"foo","session_id":"s"}"#)
            #expect(unknown == ["type": "error", "session_id": "s", "message": "unknown message type: foo"])
            try await client.raw.send(RawClient.frame(0x82, [1, 2]))
            #expect(try await client.next()["message"] == "messages are JSON text, not binary frames")
            let answer = try await client.ask(#"{"type":"permission_response","request_id":"x","allowed":true}"#)
            #expect(answer["type"] == "error")
            #expect(try await client.ask(#"{"type":"fetch_history"}"#)["type"] == "history")
        }
    }

    @Test func aPermissionIsAskedOfItsOwnSessionOnlyAndOfLateClientsToo() async throws {
        try await ServerFixture.run { server in
            let id = await server.sessions.add()
            let other = await server.sessions.add()
            let client = try await DialectClient(server.port, "/?session=\(id)&echo=1")
            let stranger = try await DialectClient(server.port, "/?session=\(other)")
            _ = try await client.ask(#"{"type":"fetch_history"}"#)
            // The stand-in's readers are told of every session's events, so the stranger's feed is left out of this.
            _ = try await stranger.ask(#"{"type":"fetch_history","session_id":"elsewhere"}"#)
            await server.sessions.emit(
                id, 1, .permissionRequested, ["id": "p1", "tool_name": "Bash", "tool_input": ["command": "ls"]])
            let asked = try await client.next("permission_request")
            #expect(asked["request_id"] == "p1")
            #expect(asked["input_preview"] == #"{"command":"ls"}"#)
            let late = try await DialectClient(server.port, "/?session=\(id)")
            #expect(try await late.next("permission_request")["request_id"] == "p1")
            try await late.send(#"{"type":"permission_response","request_id":"p1","allowed":true}"#)
            try await eventually("the answer") { await server.sessions.calls.contains("answer p1 allow -") }
            await server.sessions.emit(id, 2, .permissionResolved, ["id": "p1", "resolution": "allowed", "by": "ann"])
            #expect(try await client.next("permission_resolved")["behavior"] == "allow")
            #expect(
                try await late.ask(#"{"type":"permission_response","request_id":"p1","allowed":true}"#)["type"]
                    == "error")
        }
    }

    @Test func tenThousandMessagesHarmNeitherServerNorConnection() async throws {
        try await ServerFixture.run { server in
            let client = try await DialectClient(server.port, "/?session=flood")
            let message = RawClient.frame(0x81, Array(#"{"type":"fetch_history","session_id":"flood","limit":1}"#.utf8))
            let start = ContinuousClock.now
            async let sending: Void = client.raw.send(Array(repeatElement(message, count: 10_000).joined()))
            for _ in 0..<10_000 { _ = try await client.raw.receiveFrame() }
            try await sending
            let seconds = Double((ContinuousClock.now - start).components.seconds)
            #expect(seconds < 60)
            let other = try await DialectClient(server.port, "/?session=quiet")
            #expect(try await other.ask(#"{"type":"fetch_history"}"#)["type"] == "history")
        }
    }

    @Test func promptsThatWaitAreBounded() async throws {
        try await ServerFixture.run { server in
            let client = try await DialectClient(server.port, "/?session=flood")
            await server.sessions.holdInput()
            let message = RawClient.frame(0x81, Array(#"{"type":"message","content":"x"}"#.utf8))
            try await client.raw.send(Array(repeatElement(message, count: 300).joined()))
            #expect(try await client.next("error")["message"]?.string?.hasPrefix("too many messages wait") == true)
            await server.sessions.releaseInput()
        }
    }

    @Test func aViewerMayNotTalk() async throws {
        try await ServerFixture.run(authentication: .token) { server in
            let headers = ["Authorization: Bearer \(FakeTokens.token(.viewer))"]
            let client = try await DialectClient(server.port, "/?session=s", headers: headers)
            #expect(try await client.ask(#"{"type":"message","content":"x"}"#)["type"] == "error")
            #expect(await server.sessions.records.isEmpty)
            let raw = try await RawClient(port: server.port)
            #expect(try await raw.upgrade("/?session=s").hasPrefix("HTTP/1.1 401"))
        }
    }

    @Test func itsOwnListenerTakesEveryPathAndIsHealthy() async throws {
        let own = DedicatedListener(.tcp(host: "127.0.0.1", port: 0), .claudeSocket)
        try await ServerFixture.run(dedicated: [own]) { server in
            guard case .tcp(_, let port) = server.bound[1].listener else { return }
            let client = try await DialectClient(port, "/any/path?session=s")
            #expect(try await client.ask(#"{"type":"fetch_history"}"#)["type"] == "history")
            for request in ["GET / HTTP/1.1", "POST /v1/sessions HTTP/1.1"] {
                let raw = try await RawClient(port: port)
                try await raw.send("\(request)\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                let answer = try await raw.receiveAll()
                #expect(answer.hasPrefix("HTTP/1.1 200"))
                #expect(answer.hasSuffix(#"{"sessions":1,"status":"ok"}"#))
            }
            // Still there while the others asked.
            _ = try await client.ask(#"{"type":"fetch_history"}"#)
        }
    }
}
