import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import SessionCore

/// A WebSocket client that keeps what it received, for tests that look at it afterwards.
package actor WebSocketClient {
    package typealias Frames = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>

    private let channel: Frames
    private var reader: Task<Void, Never>?
    /// All binary payloads, joined.
    package private(set) var bytes = ByteBuffer()
    /// All text messages, parsed.
    package private(set) var messages: [JSONValue] = []
    package private(set) var closeCode: Int?
    package private(set) var ended = false

    package enum Upgrade { case open(Frames), refused(HTTPResponseHead) }

    package struct Refused: Error, CustomStringConvertible {
        package var description: String { "the server did not upgrade the connection" }
    }

    package init(_ base: String, path: String, headers: [(String, String)] = []) async throws {
        guard let url = URL(string: base), let host = url.host, let port = url.port else { throw Refused() }
        var fields = HTTPHeaders([("host", "\(host):\(port)"), ("content-length", "0")])
        for (name, value) in headers { fields.add(name: name, value: value) }
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: fields)
        let upgraded = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let upgrader = NIOTypedWebSocketClientUpgrader<Frames?>(maxFrameSize: 1 << 24) { channel, _ in
                        channel.eventLoop.makeCompletedFuture { try Frames(wrappingChannelSynchronously: channel) }
                    }
                    let upgrade = NIOTypedHTTPClientUpgradeConfiguration<Frames?>(
                        upgradeRequestHead: head, upgraders: [upgrader]
                    ) { channel in channel.eventLoop.makeSucceededFuture(nil) }
                    var configuration = NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: upgrade)
                    // A server's first message may come with its 101.
                    configuration.leftOverBytesStrategy = .forwardBytes
                    return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
                        configuration: configuration)
                }
            }
        guard let channel = try await upgraded.get() else { throw Refused() }
        self.channel = channel
        let client = self
        reader = Task { await client.read() }
    }

    private func read() async {
        do {
            try await channel.executeThenClose { inbound, outbound in
                writer = outbound
                for waiter in writerWaiters { waiter.resume() }
                writerWaiters = []
                for try await frame in inbound { try await received(frame, outbound) }
            }
        } catch {}
        ended = true
    }

    private var writer: NIOAsyncChannelOutboundWriter<WebSocketFrame>?
    private var writerWaiters: [CheckedContinuation<Void, Never>] = []

    private func received(
        _ frame: WebSocketFrame, _ outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>
    ) async throws {
        var data = frame.unmaskedData
        switch frame.opcode {
        case .binary, .continuation: bytes.writeBuffer(&data)
        case .text:
            messages.append(
                (try? JSONDecoder().decode(JSONValue.self, from: Data(data.readableBytesView))) ?? .null)
        case .connectionClose:
            closeCode = data.readInteger(as: UInt16.self).map(Int.init)
        case .ping:
            try await outbound.write(WebSocketFrame(fin: true, opcode: .pong, maskKey: .random(), data: data))
        default: break
        }
    }

    private func send(_ opcode: WebSocketOpcode, _ data: ByteBuffer) async throws {
        if writer == nil { await withCheckedContinuation { writerWaiters.append($0) } }
        try await writer?.write(WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data))
    }

    package func send(_ message: JSONValue) async throws {
        try await send(.text, ByteBuffer(bytes: JSONEncoder().encode(message)))
    }

    package func send(text: String) async throws { try await send(.text, ByteBuffer(string: text)) }
    package func type(_ text: String) async throws { try await send(.binary, ByteBuffer(string: text)) }

    package func close() async {
        try? await send(.connectionClose, ByteBuffer(integer: UInt16(1000)))
        try? await channel.channel.close()
        await reader?.value
    }

    // MARK: waiting

    package var text: String { String(buffer: bytes) }

    package func waitForText(_ wanted: String) async throws {
        try await eventually("'\(wanted)' from the terminal") { text.contains(wanted) ? true : nil }
    }

    /// Waits until so many of a type have come, since the beginning.
    package func waitForMessages(_ count: Int, type: String) async throws {
        try await eventually("\(count) messages of type '\(type)'", within: .seconds(90)) {
            messages.count { $0["type"]?.string == type } >= count ? true : nil
        }
    }

    package func waitForMessage(type: String, where matches: (JSONValue) -> Bool = { _ in true }) async throws
        -> JSONValue
    {
        do {
            return try await eventually("a '\(type)' message", within: .seconds(90)) {
                messages.first { $0["type"]?.string == type && matches($0) }
            }
        } catch let error as TimedOut {
            throw TimedOut(what: "\(error.what); got \(messages.suffix(20))")
        }
    }
}

extension APIClient {
    package func terminal(_ id: String, wake: Bool = false, mode: String = "drive", since: Int64? = nil) async throws
        -> WebSocketClient
    {
        let client = try await WebSocketClient(
            base, path: "/v1/sessions/\(id)/terminal\(wake ? "?wake=true" : "")",
            headers: token.map { [("authorization", "Bearer \($0)")] } ?? [])
        var hello: JSONValue = ["type": "hello", "cols": 100, "rows": 30, "mode": .string(mode)]
        if let since, case .object(var members) = hello {
            members["since"] = .integer(since)
            hello = .object(members)
        }
        try await client.send(hello)
        return client
    }
}
