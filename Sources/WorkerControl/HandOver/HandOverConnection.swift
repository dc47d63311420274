import CLinux
import Glibc

/// The supervisor's end of ``WorkerSockets/handOver``: non-blocking, a SOCK_SEQPACKET socket.
public enum HandOverConnection {
    /// Connects to a worker of our own user, at once or not at all. The caller closes the descriptor.
    public static func open(_ path: String) throws(HandOverFailure) -> Int32 {
        let connection = rk_seqpacket_connect(path)
        guard connection >= 0 else { throw HandOverFailure("\(path) takes no connection", errno: -connection) }
        var peer: (pid: pid_t, uid: uid_t, gid: gid_t) = (0, 0, 0)
        let failure = rk_peer_credentials(connection, &peer.pid, &peer.uid, &peer.gid)
        guard failure == 0, peer.uid == geteuid() else {
            close(connection)
            throw HandOverFailure("\(path) belongs to user \(peer.uid)", errno: EPERM)
        }
        return connection
    }

    /// Sends one message with one descriptor, of which the caller keeps its own copy.
    public static func send(
        _ message: [UInt8], with descriptor: Int32, over connection: Int32
    ) throws(HandOverFailure) {
        var descriptor = descriptor
        let sent = rk_send_descriptors(connection, message, message.count, &descriptor, 1)
        guard sent == message.count else { throw HandOverFailure("the worker takes no message", errno: Int32(-sent)) }
    }
}

public struct HandOverFailure: Error, Sendable, CustomStringConvertible {
    public var description: String

    init(_ what: String, errno: Int32) {
        description = "\(what): \(strerror(errno).map { String(cString: $0) } ?? "errno \(errno)")"
    }
}
