import CLinux
import Glibc
import Sandbox
import WorkerControl

/// The one process that this launcher serves: whoever made or connected its socket, once and for all. A copy of the
/// socket in another process's hands is worth nothing.
struct LauncherPeer: Sendable {
    let pid: pid_t
    /// The supervisor's user, root that started it, or whoever runs this launcher.
    let users: Set<UInt32>

    /// - Throws: when the one at the other end cannot be a supervisor.
    init(of socket: OwnedDescriptor, serviceUID: UInt32) throws(LaunchFailure) {
        var pid: pid_t = 0
        var uid: uid_t = 0
        var gid: gid_t = 0
        var code = rk_peer_credentials(socket.number, &pid, &uid, &gid)
        if code == 0 { code = rk_pass_credentials(socket.number) }
        guard code == 0 else {
            throw LaunchFailure(
                step: "control socket", errno: -code,
                message: "descriptor \(socket.number) is not a connected Unix socket: \(SystemError.reason(-code))",
                remedy: "pass one end of a SOCK_SEQPACKET pair with --control-fd")
        }
        users = [0, geteuid(), serviceUID]
        self.pid = pid
        guard users.contains(uid) else {
            throw LaunchFailure(
                step: "control socket", errno: EPERM, message: "the peer is uid \(uid), not the supervisor",
                remedy: "start the launcher from 'rookery serve', or name its user with --service-uid")
        }
    }

    /// The next message, empty at the end; nil for one that somebody else sent.
    func receive(from socket: OwnedDescriptor) throws(SystemError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: LauncherMessage.largest)
        var sender = rk_sender()
        let count = withExtendedLifetime(socket) {
            rk_receive_from(socket.number, &bytes, bytes.count, &sender)
        }
        if count == 0, sender.pid == -1 { return [] }
        // Neither can others end the connection, by a message that would be an error of the supervisor's.
        guard sender.pid == pid && users.contains(sender.uid) || count < 0 && sender.pid == -1 else { return nil }
        try SystemError.check("recvmsg", count)
        return Array(bytes.prefix(count))
    }
}
