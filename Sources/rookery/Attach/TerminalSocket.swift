import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket

/// One WebSocket to a session's terminal.
struct TerminalSocket {
    typealias Frames = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>

    private enum Outcome: Sendable {
        case upgraded(Frames)
        case refused(NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>)
    }

    /// Connects and upgrades.
    ///
    /// - Throws: ``Failure/refused(_:)`` when the server answers but does not upgrade; any other error when it cannot
    ///   be reached.
    static func connect(_ client: ServerClient, path: String) async throws -> Frames {
        let bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connectTimeout(.seconds(5))
        let address = client.address
        let outcome: EventLoopFuture<Outcome>
        switch address.target {
        case .unix(let socket):
            outcome = try await bootstrap.connect(unixDomainSocketPath: socket) { channel in
                channel.eventLoop.makeCompletedFuture { try upgrade(channel, client, path) }
            }
        case .tcp(let host, let port, let tls):
            let context = tls ? try NIOSSLContext(configuration: .makeClientConfiguration()) : nil
            outcome = try await bootstrap.connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        // An address is no server name (RFC 6066, 3).
                        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host))
                    }
                    return try upgrade(channel, client, path)
                }
            }
        }
        switch try await outcome.get() {
        case .upgraded(let frames): return frames
        case .refused(let response): throw try await refusal(response)
        }
    }

    private static func upgrade(
        _ channel: any Channel, _ client: ServerClient, _ path: String
    ) throws -> EventLoopFuture<Outcome> {
        let upgrader = NIOTypedWebSocketClientUpgrader<Outcome>(
            maxFrameSize: 16 << 20,
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOWebSocketFrameAggregator(
                            minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 4096,
                            maxAccumulatedFrameSize: 16 << 20))
                    return .upgraded(try Frames(wrappingChannelSynchronously: channel))
                }
            })
        var headers: HTTPHeaders = ["Host": client.address.host, "Content-Length": "0"]
        if let token = client.token { headers.add(name: "Authorization", value: "Bearer \(token)") }
        return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
            configuration: .init(
                upgradeConfiguration: NIOTypedHTTPClientUpgradeConfiguration(
                    upgradeRequestHead: HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers),
                    upgraders: [upgrader],
                    notUpgradingCompletionHandler: { channel in
                        channel.eventLoop.makeCompletedFuture {
                            .refused(try NIOAsyncChannel(wrappingChannelSynchronously: channel))
                        }
                    })))
    }

    /// What the server said instead.
    private static func refusal(
        _ response: NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>
    ) async throws -> Failure {
        try await response.executeThenClose { inbound, _ in
            var status: UInt = 0
            var body = Data()
            for try await part in inbound {
                switch part {
                case .head(let head): status = head.status.code
                case .body(let bytes) where body.count < 1 << 20: body.append(Data(buffer: bytes))
                case .body: break
                case .end: return ServerClient.refusal(status, body)
                }
            }
            return .refused("the server closed the connection instead of opening the terminal")
        }
    }
}

extension WebSocketFrame {
    /// A client masks what it sends (RFC 6455, 5.3).
    static func text(_ text: String) -> WebSocketFrame {
        WebSocketFrame(fin: true, opcode: .text, maskKey: .random(), data: ByteBuffer(string: text))
    }

    static func binary(_ bytes: some Sequence<UInt8>) -> WebSocketFrame {
        WebSocketFrame(fin: true, opcode: .binary, maskKey: .random(), data: ByteBuffer(bytes: bytes))
    }
}
