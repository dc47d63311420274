import CLinux
import Glibc
import Registry
import SessionCore
import WorkerControl

/// What a supervisor that starts finds of a session that should run.
enum WorkerFinding: Sendable {
    case answers(WorkerConnection)
    /// The process is there and does not answer: it is not dead, and no second one may be started beside it.
    case silent(ProcessIdentity, why: String)
    case gone(why: String)
}

/// Who listens at a worker's socket, without its saying anything: a stopped process is found by this.
enum WorkerSocketOwner {
    static func find(_ path: String, uid: UInt32) -> ProcessIdentity? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // A full backlog must not hold us up.
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        var pid: pid_t = 0
        var owner: uid_t = 0
        var group: gid_t = 0
        // The kernel's word on who called listen(2).
        guard result == 0, rk_peer_credentials(descriptor, &pid, &owner, &group) == 0, owner == uid else { return nil }
        return ProcessIdentity(pid: pid)
    }
}

extension SessionSupervisor {
    /// Looks for the worker of a session that should have one.
    func find(_ record: SessionRecord) async -> WorkerFinding {
        guard record.lifecycle.hasIncarnation else { return .gone(why: "it was about to be started again") }
        let path = controlSocket(record.id)
        do {
            return .answers(
                try await connect(record.id, incarnation: record.incarnation, within: configuration.greetingLimit))
        } catch {
            switch error as? WorkerConnectionError {
            case .unreachable, .unresponsive, .disconnected: break
            // Somebody else's, or one that cannot be talked to: it is ended, and the session started anew.
            default: return .gone(why: "\(error)")
            }
            var known = WorkerSocketOwner.find(path, uid: configuration.workerUID)
            if let pid = record.workerPID, let startTime = record.workerStartTime {
                known = ProcessIdentity(pid: pid, startTime: startTime)
            }
            if let known, known.isAlive { return .silent(known, why: "\(error)") }
            return .gone(why: "its worker was gone when the supervisor started")
        }
    }

    func controlSocket(_ id: SessionID) -> String {
        "\(configuration.runtimeDirectory)/w/\(id)/\(WorkerSockets.control)"
    }
}
