import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Bounds on what a connection may send before anybody looks at it.
enum WireLimits {
    static let headerField = 16 * 1024
    static let headerList = 32 * 1024
    static let headerCount = 100
    /// Undecoded bytes of a request's head, the target included.
    static let undecoded = 64 * 1024
}

/// How long a connection may take over what it owes.
struct ConnectionTimeouts: Sendable {
    /// From the connection to its first complete head.
    var firstHead: TimeAmount = .seconds(20)
    /// From one response to the end of the next request; and from a head to the end of its body.
    var request: TimeAmount = .seconds(60)
    /// From the start of a shutdown to the end of every connection.
    var shutdown: TimeAmount = .seconds(3)
}

/// One accepted connection: the first request decides whether Hummingbird gets it or the upgrade router.
struct ClientConnection: ServerChildChannel, HTTPChannelHandler {
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let outcome: EventLoopFuture<Outcome>
    }

    enum Outcome: Sendable {
        case http(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>)
        case upgrade(PendingUpgrade)
        /// Gone, or refused, before a complete head.
        case closed
    }

    let responder: Responder
    let upgrades: UpgradeRouter
    var timeouts = ConnectionTimeouts()

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = WireLimits.headerField
            limits.maxHeaderListSize = WireLimits.headerList
            limits.maxHeaderFieldCount = WireLimits.headerCount
            let decoder = ByteToMessageHandler(
                HTTPRequestDecoder(
                    leftOverBytesStrategy: .forwardBytes, informationalResponseStrategy: .drop,
                    limitConfiguration: limits),
                maximumBufferSize: WireLimits.undecoded)
            let encoder = HTTPResponseEncoder()
            let outcome = channel.eventLoop.makePromise(of: Outcome.self)
            let gate = UpgradeGate(
                decoder: decoder, encoder: encoder, timeouts: timeouts, outcome: outcome,
                logger: logger)
            try channel.pipeline.syncOperations.addHandlers([encoder, decoder, gate])
            return Value(channel: channel, outcome: outcome.futureResult)
        }
    }

    func handle(value: Value, logger: Logger) async {
        switch try? await value.outcome.get() {
        case .http(let channel): await handleHTTP(asyncChannel: channel, logger: logger)
        case .upgrade(let upgrade):
            await withTaskCancellationHandler {
                await upgrades.serve(upgrade)
                try? await value.channel.closeFuture.get()
            } onCancel: {
                value.channel.close(promise: nil)
            }
        case .closed, nil: return
        }
    }
}
