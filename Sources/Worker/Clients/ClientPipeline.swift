import Dialects
import Logging
import NIOCore
import NIOPosix
import NIOWebSocket
import SessionCore
import WorkerControl

/// What stands between a client's connection and the session, once the protocol is WebSocket.
enum ClientPipeline {
    /// Bytes that wait for a client before it counts as slow.
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 256 * 1024, high: 1 << 20)

    /// Takes over a client's socket, whose place was promised.
    ///
    /// - Parameters:
    ///   - greeting: sent first.
    ///   - early: what the client has sent already, behind its request.
    static func serve(
        _ descriptor: Int32, _ request: ClientRequest, greeting: String?, early: ByteBuffer, for worker: SessionWorker
    ) {
        let bound = NIOLoopBound(worker, eventLoop: worker.loop)
        worker.promisedClients += 1
        // Nothing is read before what came early has been taken.
        ClientBootstrap(group: worker.loop)
            .channelOption(.autoRead, value: false)
            .channelOption(.writeBufferWaterMark, value: waterMark)
            .withConnectedSocket(descriptor)
            .whenComplete { result in
                let worker = bound.value
                worker.promisedClients -= 1
                do {
                    let channel = try result.get()
                    do {
                        if let greeting { channel.writeAndFlush(ByteBuffer(string: greeting), promise: nil) }
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandlers(
                            WebSocketFrameEncoder(),
                            ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: request.largestMessage)))
                        try attach(channel, request, to: worker)
                        if early.readableBytes > 0 {
                            channel.pipeline.fireChannelRead(early)
                            channel.pipeline.fireChannelReadComplete()
                        }
                        try channel.syncOptions?.setOption(.autoRead, value: true)
                    } catch {
                        channel.close(promise: nil)
                        throw error
                    }
                } catch {
                    worker.logger.info("a client left as it was taken over", metadata: ["error": "\(error)"])
                }
            }
    }

    /// Joins a channel of WebSocket frames to the session.
    static func attach(_ channel: any Channel, _ request: ClientRequest, to worker: SessionWorker) throws {
        let socket = ClientSocket(largest: request.largestMessage)
        try channel.pipeline.syncOperations.addHandlers(
            NIOWebSocketFrameAggregator(
                minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 1024,
                maxAccumulatedFrameSize: request.largestMessage),
            socket)
        let id = worker.claimClientNumber()
        let client: any AttachedConnection & ClientSocketDelegate
        switch request.dialect {
        case .native: client = NativeClient(request.client, id: id, socket: socket, worker: worker)
        case .companion:
            client = NativeClient(request.client, id: id, wire: .companion, socket: socket, worker: worker)
        case .stream(let since):
            client = StreamClient(request.client, id: id, since: since, socket: socket, worker: worker)
        case .echokit(let compatibility):
            client = EchokitClient(request.client, id: id, compatibility: compatibility, socket: socket, worker: worker)
        }
        socket.delegate = client
        worker.connected(client, on: channel)
        client.attach()
    }
}
