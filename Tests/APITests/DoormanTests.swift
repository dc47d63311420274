import Foundation
import NIOCore
import NIOHTTP1
import Registry
import SessionCore
import Supervisor
import Testing
import WorkerControl

@testable import API

/// Echokit's clients, before their session runs (seed protocols, 1.6 and 1.12).
@Suite(.timeLimit(.minutes(2))) struct DoormanTests {
    private func run(
        refuses: Bool = false, _ body: @Sendable (ServerFixture, StandInWorker) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let worker = try await StandInWorker(directory.path + "/w", refuses: refuses)
        try await ServerFixture.run { server in
            await server.sessions.setSocket(worker.path)
            try await body(server, worker)
        }
        await worker.stop()
    }

    private func connect(_ server: ServerFixture, _ id: String) async throws -> RawClient {
        let client = try await RawClient(port: server.port)
        let head = try await client.upgrade("/ws/\(id)", headers: ["Sec-WebSocket-Extensions: permessage-deflate"])
        #expect(head.hasPrefix("HTTP/1.1 101"))
        #expect(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        #expect(!head.lowercased().contains("sec-websocket-extensions"))
        return client
    }

    private func error(_ text: String) throws -> (id: String?, code: String?, message: String?) {
        let value = try JSONReader.parse(text.utf8)
        #expect(value["type"] == "session_error")
        return (value["session_id"]?.string, value["error_code"]?.string, value["error_message"]?.string)
    }

    @Test func aQuestionMakesNoSessionAndTheNextMessageDoes() async throws {
        try await run { server, worker in
            let id = UUID().uuidString
            let client = try await connect(server, id)
            try await client.sendText(#"{"type":"get_current_state"}"#)
            let answer = try error(try await client.receiveText())
            #expect(answer.id == id, "as it was sent, in its own case")
            #expect(answer.code == "session_not_found")
            #expect(await server.sessions.records.isEmpty)
            try await client.send(RawClient.frame(0x89, [1]))
            #expect(try await client.receiveFrame().opcode == 0xA)
            let session = try #require(SessionID(parsing: id))
            let first = #"{"type":"CreateSession"}"#
            // The second message travels in the same packet as the first.
            try await client.send(
                RawClient.frame(0x81, Array(first.utf8)) + RawClient.frame(0x81, Array("second".utf8)))
            #expect(try await client.receiveText() == "hello")
            #expect(try await client.receiveText() == first)
            #expect(try await client.receiveText() == "second")
            #expect(await server.sessions.records[session]?.lifecycle == .running)
            #expect(worker.requests.first?.uri == "/echokit")
            #expect(worker.requests.first?.headers.contains(name: "sec-websocket-extensions") == false)
            try await client.send(RawClient.frame(0x82, [0x1b]))
            #expect(try await client.receiveFrame().payload == [0x1b])
        }
    }

    @Test(arguments: [Lifecycle.parked, .stopped, .failed])
    func aMessageResumesWhatDoesNotRun(lifecycle: Lifecycle) async throws {
        try await run { server, _ in
            let id = await server.sessions.add(SessionID(), lifecycle)
            let client = try await connect(server, "\(id)")
            try await client.sendText(#"{"type":"get_current_state"}"#)
            #expect(try error(try await client.receiveText()).code == "session_not_found")
            #expect(await server.sessions.records[id]?.lifecycle == lifecycle)
            try await client.send(RawClient.frame(0x82, [0x61]))
            #expect(try await client.receiveText() == "hello")
            #expect(try await client.receiveFrame().payload == [0x61])
            #expect(await server.sessions.calls.contains("resume"))
        }
    }

    @Test func aRunningSessionNeedsNoDoorman() async throws {
        try await run { server, _ in
            let id = await server.sessions.add()
            let client = try await RawClient(port: server.port)
            #expect(try await client.upgrade("/ws/\(id)").hasPrefix("HTTP/1.1 101"))
            #expect(try await client.receiveText() == "hello", "before the client said anything")
        }
    }

    @Test func whatDoesNotParseIsAnsweredAndTheConnectionStays() async throws {
        try await run { server, _ in
            let client = try await connect(server, "\(SessionID())")
            for text in ["hello", "{}", #"{"type":"current_state"}"#, #"{"type":"select","index":-1}"#] {
                try await client.sendText(text)
                let answer = try error(try await client.receiveText())
                #expect(answer.id == "" && answer.code == "invalid_input")
                #expect(answer.message == "Failed to parse input message")
            }
            #expect(await server.sessions.records.isEmpty)
        }
    }

    @Test func anIDThatIsNoUUIDMakesNothing() async throws {
        try await run { server, _ in
            let client = try await connect(server, "not%2Da-uuid")
            try await client.sendText(#"{"type":"create_session"}"#)
            let answer = try error(try await client.receiveText())
            #expect(answer.id == "not-a-uuid" && answer.code == "invalid_input")
            #expect(answer.message?.hasPrefix("Invalid UUID format: ") == true)
            try await client.sendText(#"{"type":"get_current_state"}"#)
            #expect(try error(try await client.receiveText()).code == "session_not_found")
        }
    }

    @Test func aSessionThatCannotStartSaysWhy() async throws {
        try await run { server, _ in
            let client = try await connect(server, "\(SessionID())")
            await server.sessions.fail(with: SupervisorError(.full, "the box is full"))
            try await client.sendText(#"{"type":"create_session"}"#)
            let answer = try error(try await client.receiveText())
            #expect(answer.code == "internal_error")
            #expect(answer.message == "Failed to start claude terminal process: the box is full")
            await server.sessions.fail(with: nil)
            try await client.sendText(#"{"type":"create_session"}"#)
            #expect(try await client.receiveText() == "hello", "and the client may try again")
        }
    }

    @Test func aWorkerThatRefusesIsAnErrorToo() async throws {
        try await run(refuses: true) { server, _ in
            let client = try await connect(server, "\(SessionID())")
            try await client.sendText(#"{"type":"create_session"}"#)
            let answer = try error(try await client.receiveText())
            #expect(answer.code == "internal_error")
            #expect(answer.message?.contains("503") == true)
        }
    }

    @Test func clientsThatSayNothingHoldUpNobody() async throws {
        try await run { server, _ in
            var silent: [RawClient] = []
            for _ in 0..<20 { silent.append(try await connect(server, "\(SessionID())")) }
            let client = try await connect(server, "\(SessionID())")
            try await client.sendText(#"{"type":"create_session"}"#)
            #expect(try await client.receiveText() == "hello")
        }
    }

    @Test func aBreachOfTheProtocolEndsTheConnection() async throws {
        try await run { server, _ in
            let client = try await connect(server, "\(SessionID())")
            try await client.send([0x81, 0x01, 0x61])
            let frame = try await client.receiveFrame()
            #expect(frame.opcode == 8 && frame.payload.prefix(2) == [0x03, 0xEA])
            _ = try await client.receiveAll()
            let large = try await connect(server, "\(SessionID())")
            try await large.send([0x82, 0xFF, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4])
            #expect(try await large.receiveFrame().payload.prefix(2) == [0x03, 0xF1])
        }
    }

    @Test func twoFirstMessagesAtOnceMakeOneSession() async throws {
        try await run { server, _ in
            let id = SessionID()
            let first = try await connect(server, "\(id)")
            let second = try await connect(server, "\(id)")
            async let one: Void = first.sendText(#"{"type":"create_session"}"#)
            async let two: Void = second.sendText(#"{"type":"create_session"}"#)
            _ = try await (one, two)
            #expect(try await first.receiveText() == "hello")
            #expect(try await second.receiveText() == "hello")
            #expect(await server.sessions.records.count == 1)
        }
    }
}
