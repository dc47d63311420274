import EndToEndSupport
import Foundation
import Glibc

/// A bare TCP connection to the service that says something and then reads as little as it likes.
final class SlowReader {
    private let descriptor: Int32

    struct Failed: Error { var errno: Int32 }

    init(_ api: APIClient, sending text: String) throws {
        guard let url = URL(string: api.base), let port = url.port else { throw Failed(errno: EINVAL) }
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var small: Int32 = 4096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &small, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr(url.host ?? "127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0, send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL)) > 0 else {
            throw Failed(errno: errno)
        }
    }

    /// A viewer of a terminal: the upgrade and its hello.
    convenience init(_ api: APIClient, session: String) throws {
        let host = api.base.dropFirst("http://".count)
        let hello = #"{"type":"hello","cols":100,"rows":30,"mode":"view"}"#
        try self.init(
            api,
            sending: """
                GET /v1/sessions/\(session)/terminal HTTP/1.1\r
                Host: \(host)\r
                Authorization: Bearer \(api.token ?? "")\r
                Connection: Upgrade\r
                Upgrade: websocket\r
                Sec-WebSocket-Version: 13\r
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
                \r

                """)
        // A masked text frame whose mask is zero (RFC 6455, 5.2).
        var bytes: [UInt8] = [0x81, 0x80 | UInt8(hello.utf8.count), 0, 0, 0, 0]
        bytes += Array(hello.utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw Failed(errno: errno)
        }
    }

    deinit { close(descriptor) }

    func readOneByte() {
        var byte: UInt8 = 0
        _ = recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT))
    }

    /// The server has ended the connection.
    var isClosed: Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 { continue }
            return count == 0 || errno == ECONNRESET
        }
    }
}
