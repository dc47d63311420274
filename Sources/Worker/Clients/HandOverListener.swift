import CLinux
import Glibc
import Logging
import NIOCore
import SessionCore
import WorkerControl

/// The worker's socket on which the supervisor passes clients' sockets (``HandOverOffer``).
final class HandOverListener {
    private static let backlog: Int32 = 512
    /// Hand-overs at once.
    private static let most = 128

    private let listener: Int32
    private let worker: SessionWorker
    private var watch: DescriptorWatch?
    private var receptions: [ObjectIdentifier: HandOverReception] = [:]

    /// Listens at `path`. On the worker's event loop.
    init(_ path: String, for worker: SessionWorker) throws(SystemCallError) {
        let listener = rk_seqpacket_listen(path, Self.backlog)
        guard listener >= 0 else { throw SystemCallError("listening on \(path)", errno: -listener) }
        self.listener = listener
        self.worker = worker
        watch = DescriptorWatch(owning: listener, on: worker.loop) { [unowned self] in self.accept() }
    }

    private func accept() -> TimeAmount {
        while true {
            let connection = rk_seqpacket_accept(listener)
            if connection >= 0 {
                admit(connection)
            } else if connection == -EAGAIN {
                return .zero
            } else {
                // No descriptor is free, perhaps; what waits in the backlog is not asked for again at once.
                worker.logger.warning("clients cannot be taken", metadata: ["errno": "\(-connection)"])
                return .milliseconds(100)
            }
        }
    }

    private func admit(_ connection: Int32) {
        var peer: (pid: pid_t, uid: uid_t, gid: gid_t) = (0, 0, 0)
        let failure = rk_peer_credentials(connection, &peer.pid, &peer.uid, &peer.gid)
        // The directory is closed to others; this is the second lock.
        guard failure == 0, peer.uid == geteuid() || peer.uid == 0, receptions.count < Self.most else {
            worker.logger.warning("a hand-over is not heard", metadata: ["uid": "\(peer.uid)"])
            close(connection)
            return
        }
        let reception = HandOverReception(connection, for: worker)
        receptions[ObjectIdentifier(reception)] = reception
        reception.start { [unowned self] in self.receptions[ObjectIdentifier($0)] = nil }
    }

    func stop() {
        watch?.cancel()
        watch = nil
    }
}
