import Foundation
import Glibc
import NIOCore
import NIOPosix

/// A blocking socket on threads of its own (the tests' pool also runs the server's handlers), for bytes that no
/// proper client sends.
final class RawClient: Sendable {
    struct Timeout: Error {}
    struct Failed: Error { var errno: Int32 }

    private let descriptor: Int32

    private static let pool: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 16)
        pool.start()
        return pool
    }()

    init(port: Int) async throws {
        descriptor = try await Self.pool.runIfActive {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(UInt16(port).bigEndian)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard result == 0 else { throw Failed(errno: errno) }
            var limit = timeval(tv_sec: 60, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            return descriptor
        }
    }

    deinit { close(descriptor) }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) async throws {
        try await Self.pool.runIfActive { [descriptor] in
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, 0x4000) }
                guard count > 0 else { throw Failed(errno: errno) }
                sent += count
            }
        }
    }

    /// At most `most` bytes; empty at the end.
    func receive(_ most: Int = 65536) async throws -> [UInt8] {
        try await Self.pool.runIfActive { [descriptor] in
            var buffer = [UInt8](repeating: 0, count: most)
            let count = recv(descriptor, &buffer, most, 0)
            if count < 0 {
                if errno == EAGAIN { throw Timeout() }
                if errno == ECONNRESET { return [] }
                throw Failed(errno: errno)
            }
            return Array(buffer[..<count])
        }
    }

    func receiveExactly(_ count: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try await receive(count - bytes.count)
            guard !more.isEmpty else { throw Failed(errno: 0) }
            bytes += more
        }
        return bytes
    }

    func receiveAll() async throws -> String {
        var bytes: [UInt8] = []
        while true {
            let more = try await receive()
            if more.isEmpty { return String(decoding: bytes, as: UTF8.self) }
            bytes += more
        }
    }

    func receive(until mark: String) async throws -> String {
        var text = ""
        while !text.contains(mark) {
            let more = try await receive(1)
            guard !more.isEmpty else { throw Failed(errno: 0) }
            text += String(decoding: more, as: UTF8.self)
        }
        return text
    }

    /// Sends a WebSocket handshake and returns the response's head.
    func upgrade(_ target: String, headers: [String] = []) async throws -> String {
        try await send(Self.handshake(target, headers: headers))
        return try await receive(until: "\r\n\r\n")
    }

    static func handshake(_ target: String, headers: [String] = []) -> String {
        let lines =
            [
                "GET \(target) HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ] + headers
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }

    func sendText(_ text: String) async throws { try await send(Self.frame(0x81, Array(text.utf8))) }

    static func frame(_ first: UInt8, _ payload: [UInt8], mask: [UInt8] = [1, 2, 3, 4]) -> [UInt8] {
        var bytes = [first]
        switch payload.count {
        case 0...125: bytes.append(0x80 | UInt8(payload.count))
        case 126...65535: bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default:
            bytes.append(0x80 | 127)
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(payload.count >> shift & 255)) }
        }
        bytes += mask
        bytes += payload.enumerated().map { $1 ^ mask[$0 & 3] }
        return bytes
    }

    /// One frame of the server's.
    func receiveFrame() async throws -> (opcode: UInt8, payload: [UInt8]) {
        let head = try await receiveExactly(2)
        var length = Int(head[1])
        if length == 126 {
            length = try await receiveExactly(2).reduce(0) { $0 << 8 | Int($1) }
        } else if length == 127 {
            length = try await receiveExactly(8).reduce(0) { $0 << 8 | Int($1) }
        }
        return (head[0] & 0x0F, length == 0 ? [] : try await receiveExactly(length))
    }

    func receiveText() async throws -> String {
        let frame = try await receiveFrame()
        return "\(frame.opcode == 1 ? "" : "opcode \(frame.opcode): ")" + String(decoding: frame.payload, as: UTF8.self)
    }
}
