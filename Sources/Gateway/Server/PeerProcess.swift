import CLinux
import Glibc
import NIOCore

extension Channel {
    /// The process that connected a Unix socket, as the kernel knows it (SO_PEERCRED, unix(7)). Call it on the channel's
    /// event loop.
    func peerProcess() throws -> pid_t {
        var (pid, uid, gid) = (pid_t(0), uid_t(0), gid_t(0))
        let failure = try pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            rk_peer_credentials($0, &pid, &uid, &gid)
        }
        guard failure == 0, pid > 0 else { throw GatewayError(description: "a connection does not say whose it is") }
        return pid
    }
}
