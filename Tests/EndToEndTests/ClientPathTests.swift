import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// The ways of a client to its session.
enum ClientPath: String, CaseIterable, Sendable {
    /// The connection itself is passed.
    case handedOver
    /// The supervisor ends TLS, so bytes are relayed.
    case tls
    /// The worker takes no sockets, as one of an earlier version: bytes are relayed.
    case earlierWorker
}

/// The same cases over every path, byte by byte.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ClientPathTests {
    /// A session of this shell in an installation of its own.
    private func run(
        _ path: ClientPath,
        _ body: (Rookery, String, @escaping (String) async throws -> WireClient) async throws -> Void
    ) async throws {
        let command = "/tmp/rk-shell-\(UUID().uuidString.prefix(8))"
        try "#!/bin/sh\nexec bash --norc --noediting\n".write(toFile: command, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: command) }
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: command)
        var options = RookeryOptions(startCommand: command)
        options.tls = path == .tls
        try await Rookery.with(options) { rookery in
            let id = try await rookery.api.create()
            try await rookery.api.waitForScreen(id, containing: "$")
            if path == .earlierWorker { try rookery.forgetHandOver(id) }
            try await body(rookery, id) { target in
                let client = try await WireClient(rookery.address)
                try await client.send(WireClient.request(target, token: rookery.api.token))
                let head = try await client.head()
                #expect(head.hasPrefix("HTTP/1.1 101"), "\(head)")
                #expect(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
                return client
            }
        }
    }

    @Test(arguments: ClientPath.allCases) func theTerminalWorksAlike(path: ClientPath) async throws {
        try await run(path) { rookery, id, connect in
            let target = "/v1/sessions/\(id)/terminal"
            let first = try await connect(target)
            try await first.send(WireClient.hello(cols: 91, rows: 31))
            try await first.message("snapshot")
            try await first.message("driver") { $0["you"] == true }
            #expect(rookery.relayed == (path == .handedOver ? 0 : 1))
            try await first.send(WireClient.frame(keys: "stty size\r"))
            try await first.shows("31 91")
            try await first.send(WireClient.frame(text: #"{"type":"resize","cols":100,"rows":40}"#))
            try await eventually("the new size") {
                try await first.send(WireClient.frame(keys: "stty size\r"))
                try await Task.sleep(for: .milliseconds(100))
                return first.terminal.contains("40 100") ? true : nil
            }
            let mark = try await eventually("a mark") { () -> Int64? in
                try await Task.sleep(for: .milliseconds(300))
                return first.frames.last { $0.opcode == 1 && $0.json["type"] == "mark" }?.json["seq"]?.integer
            }

            // Another one looks on, cannot type, takes over, and types.
            let second = try await connect(target)
            try await second.send(WireClient.hello(cols: 100, rows: 40, mode: "view"))
            try await second.message("driver") { $0["you"] == false }
            #expect(second.snapshot?.contains("31 91") == true)
            try await second.send(WireClient.frame(keys: "echo no-$((1+1))\r"))
            try await second.message("error") { $0["code"] == "not_driving" }
            try await second.send(WireClient.frame(text: #"{"type":"take_over"}"#))
            try await first.message("driver") { $0["you"] == false }
            try await second.send(WireClient.frame(keys: "echo took-$((1+1))\r"))
            for client in [first, second] { try await client.shows("took-2") }
            #expect(!first.terminal.contains("no-2"))

            // What was missed comes as it was.
            await second.close()
            try await first.send(WireClient.frame(8, [0x03, 0xE8]))
            try await first.closed(with: 1000)
            try await eventually("its end") { first.hasEnded ? true : nil }
            let again = try await connect(target)
            try await again.send(WireClient.hello(cols: 100, rows: 40, since: mark))
            try await again.shows("took-2")
            #expect(!again.terminal.contains("31 91"))

            // Too much at once, and what is no WebSocket.
            try await again.send(WireClient.frame(2, [UInt8](repeating: 1, count: (1 << 20) + 1)))
            try await again.closed(with: 1009)
            let strange = try await connect(target)
            try await strange.send(WireClient.hello() + WireClient.frame(9, [UInt8](repeating: 1, count: 126)))
            try await strange.closed(with: 1002)
        }
    }

    @Test(arguments: ClientPath.allCases) func bytesMayBeCutAnywhere(path: ClientPath) async throws {
        try await run(path) { rookery, id, connect in
            let target = "/v1/sessions/\(id)/terminal"
            let request = WireClient.request(target, token: rookery.api.token)
            // All at once: nothing behind the request is lost, however much it is.
            for count in [1, 3, 300] {
                let client = try await WireClient(rookery.address)
                let ping = WireClient.frame(1, Array((#"{"type":"ping"}"# + String(repeating: " ", count: 1000)).utf8))
                try await client.send(
                    request + WireClient.hello() + (0..<count).flatMap { _ in ping }
                        + WireClient.frame(keys: "echo last-$((1+\(count)))\r"))
                #expect(try await client.head().hasPrefix("HTTP/1.1 101"))
                try await client.shows("last-\(1 + count)")
                #expect(client.frames.count { $0.json["type"] == "pong" } == count)
                try await client.send(WireClient.frame(8, [0x03, 0xE8]))
                try await client.closed(with: 1000)
            }
            // One by one.
            let slow = try await WireClient(rookery.address)
            for byte in request + WireClient.hello() { try await slow.send([byte]) }
            #expect(try await slow.head().hasPrefix("HTTP/1.1 101"))
            try await slow.message("snapshot")
            // The first frame arrives with the request but for its last byte.
            let torn = try await WireClient(rookery.address)
            try await torn.send(request + WireClient.hello().dropLast())
            _ = try await torn.head()
            try await Task.sleep(for: .milliseconds(200))
            try await torn.send(Array(WireClient.hello().suffix(1)))
            try await torn.message("snapshot")
            // In fragments.
            let parts = try await connect(target)
            let text = Array(#"{"type":"hello","cols":80,"rows":24}"#.utf8)
            try await parts.send(WireClient.frame(1, Array(text.prefix(5)), final: false))
            try await parts.send(WireClient.frame(9, [1]))
            try await parts.send(WireClient.frame(0, Array(text.dropFirst(5))))
            try await parts.message("snapshot")
            #expect(parts.frames.contains { $0.opcode == 10 })
            for client in [slow, torn, parts] { await client.close() }

            // Gone in the middle: nothing of it stays, here or there.
            let worker = try #require(rookery.processes(of: id).first { $0.command.contains("rookery-worker") })
            let supervisor = try #require(rookery.supervisor)
            try await eventually("nobody to be attached") {
                try await rookery.api.session(id)["clients"]?.array?.isEmpty == true ? true : nil
            }
            let before = (rookery.descriptors(of: worker.pid), rookery.descriptors(of: supervisor.pid))
            for round in 0..<30 {
                let client = try await WireClient(rookery.address)
                try await client.send(Array(request.prefix(round % 3 == 0 ? 40 : request.count)))
                if round % 3 == 2 { _ = try await client.head() }
                await client.close()
            }
            var now = before
            do {
                try await eventually("every descriptor to be closed") {
                    now = (rookery.descriptors(of: worker.pid), rookery.descriptors(of: supervisor.pid))
                    // The test's own connections to the API come and go.
                    return now.0.count == before.0.count && now.1.count <= before.1.count + 2 ? true : nil
                }
            } catch { throw TimedOut(what: "every descriptor to be closed: before \(before), now \(now)") }
        }
    }

    @Test(arguments: ClientPath.allCases) func echokitsClientsComeTheSameWay(path: ClientPath) async throws {
        try await run(path) { rookery, id, connect in
            let state = WireClient.frame(text: #"{"type":"get_current_state"}"#)
            let client = try await connect("/ws/\(id)")
            try await client.send(state)
            try await client.message("session_state")
            try await client.send(WireClient.frame(keys: "echo by-$((1+1))\r"))
            try await client.message("session_pty_output") { $0["output"]?.string?.contains("by-2") == true }
            await client.close()

            // One whose session is made by what it says first, with more right behind it.
            let made = SessionID().description
            rookery.created.add(made)
            let other = try await WireClient(rookery.address)
            try await other.send(
                WireClient.request("/ws/\(made)", token: rookery.api.token)
                    + WireClient.frame(text: #"{"type":"create_session"}"#) + state + Array(state.prefix(7)))
            #expect(try await other.head().hasPrefix("HTTP/1.1 101"))
            try await other.message("session_state")
            try await other.send(Array(state.dropFirst(7)))
            try await eventually("three answers") {
                other.frames.count { $0.json["type"] == "session_state" } >= 3 ? true : nil
            }
            try await eventually("it to be attached") {
                try await rookery.api.session(made)["clients"]?.array?.count == 1 ? true : nil
            }
            // The session was made anew, with a worker that takes sockets.
            #expect(rookery.relayed == (path == .tls ? 2 : path == .earlierWorker ? 1 : 0))
            await other.close()
        }
    }

    @Test func aSupervisorKilledLeavesClientsTypingAndFindsThemAgain() async throws {
        try await run(.handedOver) { rookery, id, connect in
            let api = rookery.api
            let made = try await api.post("/v1/tokens", ["name": "temporary", "role": "user"])
            let tokenID = try #require(made.json["id"]?.string)
            let other = try await api.post("/v1/tokens", ["name": "kept", "role": "admin"])

            var clients: [WireClient] = []
            for token in [made.json["token"]?.string, other.json["token"]?.string] {
                let client = try await WireClient(rookery.address)
                try await client.send(
                    WireClient.request("/v1/sessions/\(id)/terminal", token: token) + WireClient.hello())
                #expect(try await client.head().hasPrefix("HTTP/1.1 101"))
                try await client.message("driver")
                clients.append(client)
            }
            await rookery.endSupervisor(signal: SIGKILL)
            let start = ContinuousClock.now
            try await clients[0].send(WireClient.frame(keys: "echo alone-$((1+1))\r"))
            for client in clients { try await client.shows("alone-2", within: .seconds(5)) }
            print("typing went on \(ContinuousClock.now - start) after the supervisor was killed")
            try await Task.sleep(for: .milliseconds(500))
            #expect(clients.allSatisfy { !$0.hasEnded })

            try await rookery.start()
            let attached = try await rookery.api.session(id)["clients"]?.array ?? []
            #expect(attached.count == 2)
            #expect(attached.contains { $0["driving"] == true })
            try await clients[0].send(WireClient.frame(keys: "echo after-$((1+1))\r"))
            try await clients[1].shows("after-2")

            // What is taken back now reaches those that the supervisor before let in.
            let revoked = ContinuousClock.now
            #expect(try await rookery.api.delete("/v1/tokens/\(tokenID)").status == 204)
            try await clients[0].closed(with: 4401)
            try await eventually("its end") { clients[0].hasEnded ? true : nil }
            #expect(ContinuousClock.now - revoked < .seconds(1))
            try await clients[1].message("driver") { $0["you"] == true }
            #expect(!clients[1].hasEnded)
        }
    }
}
