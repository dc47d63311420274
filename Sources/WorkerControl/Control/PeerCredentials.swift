import CLinux
import Glibc
public import NIOCore
import NIOPosix

/// Who is at the other end of a Unix socket, by the kernel's word.
public struct PeerCredentials: Sendable, Equatable {
    public var pid: Int32
    public var uid: UInt32
    public var gid: UInt32

    /// Asks the kernel (SO_PEERCRED). Call it on the channel's event loop.
    /// - Throws: ``WorkerConnectionError/unreachable(_:)`` when the channel has no Unix socket under it.
    public init(of channel: any Channel) throws {
        var pid: pid_t = 0
        var uid: uid_t = 0
        var gid: gid_t = 0
        let failure = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { rk_peer_credentials($0, &pid, &uid, &gid) }
        guard let failure else { throw WorkerConnectionError.unreachable("the connection has no socket") }
        guard failure == 0 else {
            throw WorkerConnectionError.unreachable("SO_PEERCRED failed: \(String(cString: strerror(-failure)))")
        }
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }
}
