import CLinux
import Foundation
import Glibc
import NIOCore
import NIOPosix
import WorkerControl

/// A connection of which one end is offered to a worker, step by step, as the supervisor does.
final class PassedSocket {
    /// The client's end; -1 once somebody else has it.
    private(set) var client: Int32
    private var hand: Int32

    /// Makes the connection and offers it.
    init(_ offer: HandOverOffer, to path: String, early: [UInt8] = []) async throws {
        let (here, there) = try Self.connection()
        client = here
        hand = try HandOverConnection.open(path)
        defer { close(there) }
        var offer = offer
        offer.early = offer.early == 0 ? early.count : offer.early
        try HandOverConnection.send(offer.encoded() ?? [], with: there, over: hand)
        for start in stride(from: 0, to: early.count, by: HandOverOffer.piece) {
            try await say(Array(early[start..<min(start + HandOverOffer.piece, early.count)]))
        }
    }

    deinit {
        if client >= 0 { close(client) }
        if hand >= 0 { close(hand) }
    }

    /// Lets go of it once the worker has it, and returns the client's end, which is the caller's to close.
    func finish() async throws -> Int32 {
        let answer = try await word()
        guard answer == .taken else { throw TimedOut(description: "the worker said \(String(describing: answer))") }
        try await say(Array(HandOverWord.yours.text.utf8))
        close(hand)
        hand = -1
        defer { client = -1 }
        return client
    }

    /// The worker's next word; nil when it has closed.
    func word() async throws -> HandOverWord? {
        let bytes: [UInt8] = try await eventually("the worker's word") { () -> [UInt8]? in
            var bytes = [UInt8](repeating: 0, count: HandOverWord.largest)
            var count = 0
            let received = rk_receive_descriptors(hand, &bytes, bytes.count, nil, 0, &count, 0)
            return received == -Int(EAGAIN) ? nil : Array(bytes.prefix(max(0, received)))
        }
        return bytes.isEmpty ? nil : HandOverWord(parsing: bytes)
    }

    func say(_ bytes: [UInt8]) async throws {
        try await eventually("room for a message") {
            let sent = rk_send_descriptors(hand, bytes, bytes.count, nil, 0)
            if sent == bytes.count { return true }
            guard sent == -Int(EAGAIN) else { throw TimedOut(description: "send: errno \(-sent)") }
            return false
        }
    }

    /// Goes away in the middle.
    func giveUp() {
        close(hand)
        hand = -1
    }

    /// Two ends of one TCP connection.
    private static func connection() throws -> (Int32, Int32) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(listener) }
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let server = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> Int32 in
                guard bind(listener, pointer, length) == 0, listen(listener, 1) == 0,
                    getsockname(listener, pointer, &length) == 0, connect(client, pointer, length) == 0
                else { return -1 }
                return rk_seqpacket_accept(listener)
            }
        }
        guard server >= 0 else { throw TimedOut(description: "no connection: errno \(errno)") }
        return (client, server)
    }
}
