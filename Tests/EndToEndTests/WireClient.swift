import EndToEndSupport
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import SessionCore
import Synchronization

/// A client that says when which byte is sent, over TCP or TLS, and keeps what comes back.
final class WireClient: Sendable {
    private let channel: any Channel
    private let inbox: Inbox

    private final class Inbox: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let state = Mutex<(bytes: ByteBuffer, ended: Bool)>((ByteBuffer(), false))

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            state.withLock { _ = $0.bytes.writeImmutableBuffer(unwrapInboundIn(data)) }
        }
        func channelInactive(context: ChannelHandlerContext) { state.withLock { $0.ended = true } }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    init(_ base: String) async throws {
        guard let url = URL(string: base), let host = url.host, let port = url.port else {
            throw TimedOut(what: "an address in '\(base)'")
        }
        let inbox = Inbox()
        self.inbox = inbox
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if url.scheme == "https" {
                        var configuration = TLSConfiguration.makeClientConfiguration()
                        configuration.certificateVerification = .none
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(
                                context: NIOSSLContext(configuration: configuration), serverHostname: nil))
                    }
                    try channel.pipeline.syncOperations.addHandler(inbox)
                }
            }
            .connect(host: host, port: port).get()
    }

    func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }
    func close() async { try? await channel.close() }
    func read(_ reads: Bool) async throws { try await channel.setOption(.autoRead, value: reads).get() }

    var hasEnded: Bool { inbox.state.withLock { $0.ended } }

    // MARK: HTTP

    static func request(_ path: String, token: String?) -> [UInt8] {
        var lines = [
            "GET \(path) HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        if let token { lines.append("Authorization: Bearer \(token)") }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    /// Takes the response's head off what came.
    func head() async throws -> String {
        try await eventually("a response") { [inbox] in
            inbox.state.withLock { state in
                let view = state.bytes.readableBytesView
                guard let end = view.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
                return state.bytes.readString(length: end.upperBound - view.startIndex)
            }
        }
    }

    // MARK: WebSocket

    struct Frame: Sendable {
        var opcode: UInt8
        var payload: [UInt8]
        var text: String { String(decoding: payload, as: UTF8.self) }
        var json: JSONValue { JSONValue(parsing: text) ?? .null }
        var closeCode: Int? { opcode == 8 && payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil }
    }

    static func frame(_ opcode: UInt8, _ payload: [UInt8], final: Bool = true) -> [UInt8] {
        var bytes = [(final ? 0x80 : 0) | opcode]
        switch payload.count {
        case 0...125: bytes.append(0x80 | UInt8(payload.count))
        case 126...65535: bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default: bytes += [0x80 | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        let mask: [UInt8] = [7, 77, 177, 17]
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
    }

    static func frame(text: String) -> [UInt8] { frame(1, Array(text.utf8)) }
    static func frame(keys: String) -> [UInt8] { frame(2, Array(keys.utf8)) }

    static func hello(cols: Int = 80, rows: Int = 24, mode: String = "drive", since: Int64? = nil) -> [UInt8] {
        let seq = since.map { ",\"since\":\($0)" } ?? ""
        return frame(text: #"{"type":"hello","cols":\#(cols),"rows":\#(rows),"mode":"\#(mode)"\#(seq)}"#)
    }

    private let taken = Mutex<[Frame]>([])

    /// Every frame that has come so far.
    var frames: [Frame] {
        inbox.state.withLock { state in
            while true {
                var view = state.bytes
                guard let first = view.readInteger(as: UInt8.self), let second = view.readInteger(as: UInt8.self) else {
                    break
                }
                var length = Int(second)
                if length == 126 {
                    guard let long = view.readInteger(as: UInt16.self) else { break }
                    length = Int(long)
                } else if length == 127 {
                    guard let long = view.readInteger(as: UInt64.self) else { break }
                    length = Int(long)
                }
                guard let payload = view.readBytes(length: length) else { break }
                state.bytes = view
                taken.withLock { $0.append(Frame(opcode: first & 15, payload: payload)) }
            }
        }
        return taken.withLock { $0 }
    }

    var terminal: String {
        String(decoding: frames.filter { $0.opcode == 2 }.flatMap(\.payload), as: UTF8.self)
    }

    func shows(_ text: String, within limit: Duration = .seconds(30)) async throws {
        try await eventually("'\(text)' on the terminal", within: limit) { terminal.contains(text) ? true : nil }
    }

    @discardableResult
    func message(_ type: String, where matches: (JSONValue) -> Bool = { _ in true }) async throws -> JSONValue {
        try await eventually(
            "a '\(type)' message; got \(frames.filter { $0.opcode == 1 }.map { $0.json["type"]?.string ?? "?" })"
        ) {
            frames.lazy.filter { $0.opcode == 1 }.map(\.json).first { $0["type"]?.string == type && matches($0) }
        }
    }

    func closed(with code: Int) async throws {
        try await eventually("the close code \(code)") { frames.contains { $0.closeCode == code } ? true : nil }
    }

    var snapshot: String? {
        frames.last { $0.opcode == 1 && $0.json["type"] == "snapshot" }?.json["data"]?.string
            .flatMap { Data(base64Encoded: $0) }.map { String(decoding: $0, as: UTF8.self) }
    }
}
