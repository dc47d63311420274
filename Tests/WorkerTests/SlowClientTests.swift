import Foundation
import Glibc
import NIOCore
import NIOEmbedded
import NIOWebSocket
import SessionCore
import Testing
import WorkerControl

@testable import Worker

/// Clients that take little, or nothing, or are not there any more.
@Suite("Clients that do not keep up", .timeLimit(.minutes(3)))
struct SlowClientTests {
    @Test(
        "one byte a second beside a flood costs no memory and nobody else anything",
        arguments: ["/terminal", "/echokit"])
    func oneByteASecond(path: String) async throws {
        try await WorkerFixture.with(["bash", "--norc"]) { fixture in
            let quick = try await TestClient.attach(to: fixture, over: .handedOver, principal: "bob")
            let client = RelayedClient(principal: "alice", access: .drive)
            var early: [UInt8] = []
            if path == "/terminal" {
                let hello = Array(#"{"type":"hello","mode":"view","cols":80,"rows":24}"#.utf8)
                early = [0x81, 0x80 | UInt8(hello.count), 0, 0, 0, 0] + hello
            }
            let passed = try await PassedSocket(
                HandOverOffer(target: path, client: client, greeting: nil), to: fixture.handOverSocket, early: early)
            let slow = try await passed.finish()
            defer { close(slow) }
            try await eventually("both to be attached") {
                guard case .status(let status) = try await fixture.connect().send(.status) else { return false }
                return status.clients.count == 2
            }
            let before = try fixture.residentMemory()
            let reader = Task {
                var bytes: [UInt8] = [0]
                while !Task.isCancelled {
                    _ = recv(slow, &bytes, 1, 0x40)
                    try await Task.sleep(for: .seconds(1))
                }
            }
            defer { reader.cancel() }
            let size = 6 << 20
            let start = ContinuousClock.now
            quick.send(keys: "yes 0123456789012345678901234567890123456789 | head -c \(size); echo the-$((1+1))-end\r")
            var highest = before
            try await eventually("the flood's end", within: 120) {
                highest = max(highest, try fixture.residentMemory())
                return quick.received.screen.suffix(4000).contains("the-2-end")
                    || quick.snapshot?.contains("the-2-end") == true
            }
            let grown = (highest - before) >> 20
            print("\(path): \(size >> 20) MiB in \(ContinuousClock.now - start), worker grew by \(grown) MiB")
            #expect(grown < 30)
            // Keys are not held up either.
            let key = ContinuousClock.now
            quick.send(keys: "echo key-$((1+1))\r")
            try await quick.shows("key-2")
            #expect(ContinuousClock.now - key < .seconds(5))
            // It was not thrown out for being slow.
            guard case .status(let status) = try await fixture.connect().send(.status) else { return }
            #expect(status.clients.count == 2)
        }
    }

    @Test("pings that nobody reads the answers of cost no memory")
    func pings() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let client = RelayedClient(principal: "alice", access: .drive)
            let passed = try await PassedSocket(
                HandOverOffer(target: "/terminal", client: client, greeting: nil), to: fixture.handOverSocket)
            let rude = try await passed.finish()
            defer { close(rude) }
            let hello = Array(#"{"type":"hello","mode":"view","cols":80,"rows":24}"#.utf8)
            var frames: [UInt8] = [0x81, 0x80 | UInt8(hello.count), 0, 0, 0, 0] + hello
            let ping = Array(#"{"type":"ping"}"#.utf8)
            for _ in 0..<2000 {
                frames += [0x81, 0x80 | UInt8(ping.count), 0, 0, 0, 0] + ping
                frames += [0x89, 0x80 | 125, 0, 0, 0, 0] + [UInt8](repeating: 1, count: 125)
            }
            let before = try fixture.residentMemory()
            var sent = 0
            let end = Date().addingTimeInterval(40)
            while sent < 12 << 20, Date() < end {
                let count = Glibc.send(
                    rude, Array(frames[(sent % frames.count)...]), frames.count - sent % frames.count, 0x4040)
                if count > 0 { sent += count } else { try await Task.sleep(for: .milliseconds(5)) }
            }
            #expect(sent >= 4 << 20)
            #expect(try fixture.residentMemory() - before < 24 << 20)
        }
    }

    @Test("two hundred that say nothing find no more room than there is, and harm nobody")
    func idle() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let typist = try await TestClient.attach(to: fixture, over: .handedOver)
            let before = try fixture.residentMemory()
            var taken: [Int32] = []
            defer { for socket in taken { close(socket) } }
            var refused = 0
            for _ in 0..<200 {
                let passed = try await PassedSocket(
                    HandOverOffer(
                        target: "/echokit", client: RelayedClient(principal: "x", access: .view), greeting: nil),
                    to: fixture.handOverSocket)
                if let socket = try? await passed.finish() { taken.append(socket) } else { refused += 1 }
            }
            #expect(taken.count == 63)
            #expect(refused == 137)
            typist.send(keys: "still\r")
            try await typist.shows("still\r\nstill")
            #expect(try fixture.residentMemory() - before < 16 << 20)
        }
    }

    @Test("a connection that nothing is heard from ends by itself, one that answers stays")
    func halfOpen() throws {
        for answers in [false, true] {
            let channel = EmbeddedChannel()
            try channel.pipeline.syncOperations.addHandler(ClientSocket(largest: ClientSocket.largestMessage))
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/x")).wait()
            for _ in 0..<8 where channel.isActive {
                channel.embeddedEventLoop.advanceTime(by: .seconds(30))
                let ping = try channel.readOutbound(as: WebSocketFrame.self)
                if answers {
                    #expect(ping?.opcode == .ping)
                    try channel.writeInbound(WebSocketFrame(fin: true, opcode: .pong, data: ByteBuffer()))
                }
            }
            #expect(channel.isActive == answers)
            _ = try? channel.finish()
        }
    }
}
