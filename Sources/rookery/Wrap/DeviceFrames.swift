import NIOCore
import NIOWebSocket

/// What comes on a wrapped program's connection, whatever is spoken on it.
enum DeviceFrames {
    /// The server closed it, or it broke.
    struct Closed: Error {
        /// The code that the server closed it with, none if it broke.
        var code: UInt16?

        /// The server has heard that the program has ended: it closes in order after that, and never before.
        static func isFarewell(_ error: any Error) -> Bool { (error as? Closed)?.code == 1000 }
    }

    /// Reads until the connection's end.
    /// - Parameters:
    ///   - refuses: whether a code of the server's end means that it will never have us, beside those that always do.
    /// - Throws: ``Failure/refused(_:)`` then; otherwise always ``Closed``, or what `take` throws.
    static func read(
        _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>,
        _ outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>,
        refuses: (UInt16) -> Bool = { _ in false }, _ take: (String) async throws -> Void
    ) async throws -> Never {
        for try await frame in inbound {
            switch frame.opcode {
            case .text: try await take(String(buffer: frame.unmaskedData))
            case .ping:
                try await outbound.write(
                    WebSocketFrame(fin: true, opcode: .pong, maskKey: .random(), data: frame.unmaskedData))
            case .connectionClose:
                var data = frame.unmaskedData
                let code = data.readInteger(as: UInt16.self) ?? 1005
                if code == 1008 || code == 4401 || refuses(code) {
                    throw Failure.refused(
                        "the server does not take this device: \(printable(String(buffer: data)))")
                }
                throw Closed(code: code)
            default: break
            }
        }
        throw Closed()
    }
}
