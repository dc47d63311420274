import NIOCore
import NIOHTTP1
import NIOPosix

/// A connection to the gateway that stands already when the next request comes: it is asked for when one has been
/// answered, serves one request, and goes when none comes for a while.
final class SpareConnection {
    private let path: String
    private var channel: (any Channel)?
    private var isConnecting = false
    private var expiry: Scheduled<Void>?

    /// A turn asks again at once; a session at rest holds nothing.
    private static let patience = TimeAmount.seconds(30)

    init(to path: String) { self.path = path }

    static func connect(
        to path: String, on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: loop)
            .connectTimeout(.seconds(5))
            .channelOption(.writeBufferWaterMark, value: .init(low: 64 * 1024, high: 256 * 1024))
            .channelOption(.maxMessagesPerRead, value: 4)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHTTPClientHandlers() }
            }
            .connect(unixDomainSocketPath: path)
    }

    /// - Returns: nil when there is none.
    func take() -> (any Channel)? {
        defer { forget() }
        return channel.flatMap { $0.isActive ? $0 : nil }
    }

    /// Sees to it that there is one soon.
    func prepare(on loop: any EventLoop) {
        guard channel == nil, !isConnecting else { return }
        isConnecting = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        Self.connect(to: path, on: loop).whenComplete { result in
            let spare = bound.value
            spare.isConnecting = false
            // A gateway that is not there is told of when somebody asks.
            guard case .success(let channel) = result else { return }
            spare.channel = channel
            spare.expiry = loop.assumeIsolated().scheduleTask(in: Self.patience) { spare.close() }
            channel.closeFuture.whenComplete { _ in
                if bound.value.channel === channel { bound.value.forget() }
            }
        }
    }

    func close() {
        channel?.close(promise: nil)
        forget()
    }

    private func forget() {
        channel = nil
        expiry?.cancel()
        expiry = nil
    }
}
