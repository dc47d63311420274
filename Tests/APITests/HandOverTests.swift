import Foundation
import Glibc
import SessionCore
import Testing
import WorkerControl

@testable import API

/// Hand-overs that do not go to their end: the client is still the supervisor's, and is told.
@Suite(.timeLimit(.minutes(2))) struct HandOverTests {
    /// What stands in a worker's place does with an offer.
    enum Behaviour: Sendable, CaseIterable {
        case dies, refuses, babbles, staysSilent, takesAndDies
    }

    /// Listens on a path, and has each offer end one way. The socket that comes along is dropped.
    private final class Listener: Sendable {
        private let descriptor: Int32

        init(_ path: String, _ behaviour: Behaviour) throws {
            let kind = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            descriptor = socket(AF_UNIX, kind, 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            guard bound == 0, listen(descriptor, 8) == 0 else { throw RawClient.Failed(errno: errno) }
            let listener = descriptor
            Thread.detachNewThread {
                while true {
                    let connection = accept(listener, nil, nil)
                    guard connection >= 0 else { return }
                    var bytes = [UInt8](repeating: 0, count: HandOverOffer.largest)
                    _ = recv(connection, &bytes, bytes.count, 0)
                    let word: String? =
                        switch behaviour {
                        case .dies, .staysSilent: nil
                        case .refuses: HandOverWord.refused(status: 503, detail: "no room for more").text
                        case .babbles: "who are you?"
                        case .takesAndDies: HandOverWord.taken.text
                        }
                    if let word { _ = send(connection, word, word.utf8.count, 0x4000) }
                    // Until the supervisor has gone.
                    if behaviour != .dies { while recv(connection, &bytes, bytes.count, 0) > 0 {} }
                    close(connection)
                }
            }
        }

        func stop() {
            shutdown(descriptor, Int32(SHUT_RDWR))
            close(descriptor)
        }
    }

    private func run(
        _ behaviour: Behaviour, _ body: @Sendable (ServerFixture, SessionID) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let listener = try Listener(WorkerSockets.handOver(beside: directory.path + "/client.sock"), behaviour)
        defer { listener.stop() }
        try await ServerFixture.run { server in
            await server.sessions.setSocket(directory.path + "/client.sock")
            try await body(server, await server.sessions.add())
        }
    }

    @Test(arguments: Behaviour.allCases) func aTerminalsClientIsTold(behaviour: Behaviour) async throws {
        try await run(behaviour) { server, id in
            let client = try await RawClient(port: server.port)
            try await client.send(RawClient.handshake("/v1/sessions/\(id)/terminal") + "early bytes")
            let answer = try await client.receiveAll()
            switch behaviour {
            case .takesAndDies: #expect(answer.isEmpty)
            case .refuses:
                #expect(answer.hasPrefix("HTTP/1.1 503 "))
                #expect(answer.contains("no room for more"))
            case .dies, .babbles, .staysSilent:
                #expect(answer.hasPrefix("HTTP/1.1 503 "), "\(answer)")
                #expect(answer.contains(#""code":"unavailable""#))
            }
        }
    }

    @Test(arguments: [Behaviour.dies, .refuses]) func aClientAtTheDoorIsToldInItsOwnWords(behaviour: Behaviour)
        async throws
    {
        try await run(behaviour) { server, _ in
            let client = try await RawClient(port: server.port)
            #expect(try await client.upgrade("/ws/\(SessionID())").hasPrefix("HTTP/1.1 101"))
            for _ in 0..<2 {
                try await client.sendText(#"{"type":"create_session"}"#)
                let error = try await client.receiveText()
                #expect(error.contains("session_error"), "\(error)")
            }
        }
    }

    @Test func theOffersWordsAreReadAsTheyWereWritten() throws {
        for word in [HandOverWord.taken, .yours, .refused(status: 410, detail: "it has ended, and so on")] {
            #expect(HandOverWord(parsing: Array(word.text.utf8)) == word)
        }
        for text in ["", "takenx", "taken now", "refused", "refused 200 x", "refused x y", "\u{0}"] {
            #expect(HandOverWord(parsing: Array(text.utf8)) == nil)
        }
        let offer = HandOverOffer(
            target: "/terminal", client: RelayedClient(principal: "ann", access: .view), greeting: "x", early: 3)
        let bytes = try #require(try offer.encoded())
        #expect(try HandOverOffer(parsing: bytes) == offer)
        var large = offer
        large.target = String(repeating: "a", count: HandOverOffer.largest)
        #expect(try large.encoded() == nil)
        #expect(WorkerSockets.handOver(beside: "/run/w/x/client.sock") == "/run/w/x/handover.sock")
        #expect(WorkerSockets.handOver(beside: "client.sock") == "handover.sock")
    }
}
