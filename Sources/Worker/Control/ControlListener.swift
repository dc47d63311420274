import Glibc
import NIOCore
import NIOPosix
import WorkerControl

/// The socket on which supervisors command the worker. Several may be connected: one that was started anew does
/// not have to wait for the connection of its predecessor to die.
enum ControlListener {
    static func bind(_ path: String, for worker: SessionWorker) -> EventLoopFuture<any Channel> {
        let bound = NIOLoopBound(worker, eventLoop: worker.loop)
        return ServerBootstrap(group: worker.loop)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 1 << 20, high: ControlConnection.backlog))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let peer = try PeerCredentials(of: channel)
                    // The directory is closed to others; this is the second lock. Root may look.
                    guard peer.uid == geteuid() || peer.uid == 0 else {
                        throw WorkerConnectionError.wrongPeer(uid: peer.uid, expected: geteuid())
                    }
                    try channel.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(ControlFrameDecoder()), ControlConnection(worker: bound.value))
                }
            }
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
    }
}
