/// What can go wrong between a supervisor and a worker.
public enum WorkerConnectionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// No worker answers at that socket.
    case unreachable(String)
    /// The process behind the socket runs as another user.
    case wrongPeer(uid: UInt32, expected: UInt32)
    /// The worker speaks another version of the protocol.
    case unsupportedVersion(Int)
    /// The worker is connected and did not answer in time.
    case unresponsive(String)
    /// The connection ended before the answer came; the command may or may not have been carried out.
    case disconnected(String)

    public var description: String {
        switch self {
        case .unreachable(let detail): "the session's worker cannot be reached: \(detail)"
        case .wrongPeer(let uid, let expected):
            "the process behind the worker's socket runs as uid \(uid), not \(expected): it is not our worker"
        case .unsupportedVersion(let version):
            "the worker speaks control version \(version), this supervisor \(ControlRequest.version); "
                + "stop the session and resume it with the installed version"
        case .unresponsive(let command): "the session's worker did not answer '\(command)' in time"
        case .disconnected(let detail): "the connection to the session's worker ended: \(detail)"
        }
    }
}
