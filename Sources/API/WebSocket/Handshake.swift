import Crypto
import Foundation
import NIOCore
import NIOHTTP1
import SessionCore
import WorkerControl

/// The opening handshake of RFC 6455, 4.2.
enum Handshake {
    static func check(_ head: HTTPRequestHead) throws(Problem) {
        guard head.method == .GET, head.version == .http1_1 else {
            throw Problem(400, "bad_upgrade", "a WebSocket upgrade is a GET request of HTTP/1.1")
        }
        guard head.headers["sec-websocket-version"] == ["13"] else {
            throw Problem(
                426, "bad_upgrade", "this server speaks WebSocket version 13",
                headers: ["sec-websocket-version": "13"])
        }
        let keys = head.headers["sec-websocket-key"]
        guard keys.count == 1, Data(base64Encoded: keys[0])?.count == 16 else {
            throw Problem(400, "bad_upgrade", "Sec-WebSocket-Key must be 16 bytes in base64")
        }
        guard !head.headers.contains(name: "transfer-encoding"),
            (head.headers.first(name: "content-length") ?? "0") == "0"
        else { throw Problem(400, "bad_upgrade", "an upgrade request has no body") }
    }

    /// The 101 to a request that ``check(_:)`` let through.
    static func response(to head: HTTPRequestHead) -> HTTPResponseHead {
        let key = head.headers.first(name: "sec-websocket-key") ?? ""
        let digest = Insecure.SHA1.hash(data: Data((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        return HTTPResponseHead(
            version: .http1_1, status: .switchingProtocols,
            headers: [
                "upgrade": "websocket", "connection": "Upgrade",
                "sec-websocket-accept": Data(digest).base64EncodedString(),
            ])
    }

    /// The same as bytes.
    static func greeting(to head: HTTPRequestHead) -> String {
        let response = response(to: head)
        let fields = response.headers.map { "\($0.name): \($0.value)\r\n" }.joined()
        return "HTTP/1.1 101 Switching Protocols\r\n\(fields)\r\n"
    }

    /// What the client asks for, as a worker knows it: the worker's path, and the client's query without what is the
    /// supervisor's.
    static func target(_ head: HTTPRequestHead, path: String) -> String {
        let parts = head.uri.split(separator: "?", maxSplits: 1)
        guard parts.count == 2 else { return path }
        let kept = parts[1].split(separator: "&").filter { item in
            let name = item.split(separator: "=", maxSplits: 1).first
            return name != "ticket" && name != "wake"
        }
        return kept.isEmpty ? path : path + "?" + kept.joined(separator: "&")
    }

    /// The request as the worker gets it: its path, and who the client is. Credentials stay here, and nobody outside
    /// can say who they are.
    /// - Parameter bare: without extensions and subprotocols, for a handshake that was answered here.
    static func request(
        _ head: HTTPRequestHead, path: String, client: RelayedClient, bare: Bool = false
    ) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeString("GET \(target(head, path: path)) HTTP/1.1\r\n")
        let dropped: Set = ["authorization", "cookie", "content-length", "proxy-authorization"]
        let negotiated: Set = ["sec-websocket-extensions", "sec-websocket-protocol"]
        for (name, value) in head.headers {
            let lower = name.lowercased()
            if lower.hasPrefix("x-rookery-") || dropped.contains(lower) { continue }
            if bare, negotiated.contains(lower) { continue }
            buffer.writeString("\(name): \(value)\r\n")
        }
        let identity = try JSONEncoder.rookery.encode(client)
        buffer.writeString("\(RelayedClient.header): \(String(decoding: identity, as: UTF8.self))\r\n\r\n")
        return buffer
    }
}
