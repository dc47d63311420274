import Foundation
import Glibc
import NIOCore
import NIOWebSocket
import SessionCore
import Testing
import WorkerControl

/// What a worker does with the sockets it is passed, and what with those it is not in the end.
@Suite("Handed-over sockets", .timeLimit(.minutes(2)))
struct HandOverTests {
    /// MSG_DONTWAIT, MSG_PEEK
    private static let now: Int32 = 0x40
    private static let peek: Int32 = 2
    private static let alice = RelayedClient(principal: "alice", access: .drive)

    private func offer(_ target: String = "/terminal", greeting: String? = nil, early: Int = 0) -> HandOverOffer {
        HandOverOffer(target: target, client: Self.alice, greeting: greeting, early: early)
    }

    private static func frame(_ opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
        var bytes = [0x80 | opcode]
        if payload.count < 126 {
            bytes.append(0x80 | UInt8(payload.count))
        } else {
            bytes += [0x80 | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        return bytes + [0, 0, 0, 0] + payload
    }

    /// The descriptors of a worker that has served a client: some are opened once, at the first.
    private func steady(_ fixture: WorkerFixture) async throws -> [String] {
        await (try await TestClient.attach(to: fixture, over: .handedOver)).close()
        try await Task.sleep(for: .milliseconds(500))
        return fixture.openDescriptors
    }

    private static let hello = frame(1, Array(#"{"type":"hello","cols":80,"rows":24,"mode":"drive"}"#.utf8))

    @Test("the greeting comes first, and nothing before the supervisor has let go")
    func greeting() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let passed = try await PassedSocket(offer(greeting: "HTTP/1.1 101 X\r\n\r\n"), to: fixture.handOverSocket)
            #expect(try await passed.word() == .taken)
            try await Task.sleep(for: .milliseconds(200))
            var bytes = [UInt8](repeating: 0, count: 18)
            #expect(recv(passed.client, &bytes, 18, Self.now) == -1)
            try await passed.say(Array(HandOverWord.yours.text.utf8))
            try await eventually("the greeting") {
                recv(passed.client, &bytes, 18, Self.now | Self.peek) == 18
            }
            #expect(String(decoding: bytes, as: UTF8.self) == "HTTP/1.1 101 X\r\n\r\n")
        }
    }

    @Test(
        "bytes that were read already come first, however many and however they are cut",
        arguments: [0, 1, 70, 300_000])
    func early(cut: Int) async throws {
        try await WorkerFixture.with(["bash", "-c", "stty -echo; while read -r x; do echo got ${#x}; done"]) {
            fixture in
            try await Task.sleep(for: .milliseconds(300))
            let keys = Array(String(repeating: "k", count: 3000).utf8) + [13]
            var bytes = Self.hello + Self.frame(2, keys)
            if cut > 1000 { bytes += Self.frame(9, []) + Self.frame(1, Array(String(repeating: " ", count: cut).utf8)) }
            let early = cut > 1000 ? bytes.count : cut
            let passed = try await PassedSocket(offer(), to: fixture.handOverSocket, early: Array(bytes.prefix(early)))
            let client = try await TestClient.connect(to: fixture, over: passed.finish())
            try await client.send(raw: Array(bytes.dropFirst(early)))
            try await client.shows("got 3000")
        }
    }

    @Test("what is not taken is answered, and leaves nothing behind")
    func refusals() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let before = try await steady(fixture)
            let nowhere = try await PassedSocket(offer("/nowhere"), to: fixture.handOverSocket)
            guard case .refused(404, _) = try await nowhere.word() else {
                Issue.record("taken")
                return
            }
            var newer = offer()
            newer.version = 2
            guard
                case .refused(501, _) = try await PassedSocket(newer, to: fixture.handOverSocket).word()
            else {
                Issue.record("taken")
                return
            }
            let large = try await PassedSocket(offer(early: HandOverOffer.mostEarly + 1), to: fixture.handOverSocket)
            guard case .refused = try await large.word() else {
                Issue.record("taken")
                return
            }
            // More than was said.
            let more = try await PassedSocket(offer(early: 3), to: fixture.handOverSocket)
            try await more.say([1, 2, 3, 4])
            #expect(try await more.word() == nil)
            // Something else than letting go.
            let strange = try await PassedSocket(offer(), to: fixture.handOverSocket)
            #expect(try await strange.word() == .taken)
            try await strange.say(Array("mine".utf8))
            #expect(try await strange.word() == nil)
            for step in 0..<3 {
                let dies = try await PassedSocket(offer(early: step == 0 ? 100 : 0), to: fixture.handOverSocket)
                if step == 2 { #expect(try await dies.word() == .taken) }
                dies.giveUp()
                // The worker had a copy: the client sees its end only when that is gone too.
                try await eventually("the client's end") {
                    var byte: UInt8 = 0
                    return recv(dies.client, &byte, 1, Self.now) == 0
                }
            }
            try await eventually("every descriptor to be closed; there are \(fixture.openDescriptors), not \(before)") {
                fixture.openDescriptors == before
            }
        }
    }

    @Test("fifty clients come and go, and no descriptor stays")
    func noLeaks() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let before = try await steady(fixture)
            for _ in 0..<50 {
                let client = try await TestClient.attach(to: fixture, over: .handedOver)
                await client.close()
            }
            // Gone before it is served.
            for _ in 0..<10 {
                let passed = try await PassedSocket(offer(early: 0), to: fixture.handOverSocket, early: Self.hello)
                #expect(try await passed.word() == .taken)
                shutdown(passed.client, Int32(SHUT_RDWR))
                try await passed.say(Array(HandOverWord.yours.text.utf8))
            }
            try await eventually("every descriptor to be closed; there are \(fixture.openDescriptors), not \(before)") {
                fixture.openDescriptors == before
            }
            guard case .status(let status) = try await fixture.connect().send(.status) else { return }
            #expect(status.clients.isEmpty)
        }
    }

    @Test(
        "a worker has a number of places, silent clients count, and one that leaves makes room", arguments: Way.allCases
    )
    func places(way: Way) async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            var clients: [TestClient] = []
            for _ in 0..<64 { clients.append(try await TestClient.connect(to: fixture, over: way)) }
            await #expect(throws: TimedOut.self) { _ = try await TestClient.connect(to: fixture, over: way) }
            await clients.removeLast().close()
            try await eventually("a place") {
                (try? await TestClient.connect(to: fixture, over: way)) != nil
            }
        }
    }

    @Test("an over-long frame, an over-long message and a reserved bit are told by their code", arguments: Way.allCases)
    func closeCodes(way: Way) async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let long = try await TestClient.attach(to: fixture, over: way)
            long.send(.binary, ByteBuffer(repeating: 1, count: (1 << 20) + 1))
            try await eventually("1009") { long.received.closeCode == 1009 }
            let parts = try await TestClient.attach(to: fixture, over: way)
            parts.send(.binary, ByteBuffer(repeating: 1, count: 1 << 20), fin: false)
            parts.send(.continuation, ByteBuffer(repeating: 1, count: 1))
            try await eventually("1009") { parts.received.closeCode == 1009 }
            let rude = try await TestClient.attach(to: fixture, over: way)
            rude.send(.connectionClose, ByteBuffer(bytes: [0x03, 0xe8]))
            try await eventually("1000") { rude.received.closeCode == 1000 && rude.received.isClosed }
            let silent = try await TestClient.connect(to: fixture, over: way)
            silent.send(keys: "x")
            try await silent.message("error") { $0["code"] == "hello_missing" }
        }
    }

    @Test("echokit's clients come as sockets too, in the middle of their protocol")
    func echokit() async throws {
        try await WorkerFixture.with(["bash", "-c", "echo up; exec cat"]) { fixture in
            let first = Self.frame(1, Array(#"{"type":"get_current_state"}"#.utf8))
            let passed = try await PassedSocket(
                offer("/echokit?compat=echokit-head"), to: fixture.handOverSocket, early: first)
            let client = try await TestClient.connect(to: fixture, over: passed.finish())
            try await client.message("session_state")
        }
    }
}
