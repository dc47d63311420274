import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes

/// One connection from a worker: its requests one after another, each an ``Exchange``. The connection is read while
/// an exchange runs, so that the client's departure is seen at once and cancels it.
struct GatewayChannel: ServerChildChannel {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    let exchange: Exchange

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        // The pipeline of Hummingbird's own HTTP/1.1; only the handling differs.
        HTTP1Channel(responder: { _, _, _ in }).setup(channel: channel, logger: logger)
    }

    func handle(value: Value, logger: Logger) async {
        let executor = LoopExecutor.of(value.channel.eventLoop)
        await withTaskExecutorPreference(executor) { await serve(value, executor, logger) }
    }

    private func serve(_ value: Value, _ executor: LoopExecutor, _ logger: Logger) async {
        let channel = value.channel
        let peer = try? await channel.eventLoop.submit { try channel.peerProcess() }.get()
        do {
            try await value.executeThenClose { inbound, outbound in
                var current: (task: Task<Void, Never>, body: RequestBody.Source)?
                defer {
                    current?.body.finish(CancellationError())
                    current?.task.cancel()
                }
                for try await part in inbound {
                    switch part {
                    case .head(let head):
                        await current?.task.value
                        let (body, source) = RequestBody.makeStream()
                        let task = Task(executorPreference: executor) {
                            do {
                                try await exchange.run(head, body, from: peer, on: channel.eventLoop, outbound)
                            } catch {
                                // An answer broke off in the middle: only a closed connection can say so.
                                channel.close(promise: nil)
                            }
                        }
                        current = (task, source)
                    case .body(let bytes): await current?.body.yield(bytes)
                    case .end: current?.body.finish()
                    }
                }
            }
        } catch {
            logger.trace("connection ended", metadata: ["error": "\(error)"])
        }
    }
}
