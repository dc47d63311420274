public import WorkerControl

/// Who starts and ends sandboxes: ``LauncherClient`` in production.
public protocol SessionLauncher: Sendable {
    /// Sends one request and waits for its reply; a ``LauncherReply/failed(_:)`` is a reply too.
    func send(_ request: LauncherRequest, within limit: Duration) async throws(LauncherError) -> LauncherReply
    /// Why no request can be answered any more; nil while the launcher is there.
    var outage: String? { get }
}

/// Why a request to the launcher has no answer.
public enum LauncherError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The launcher has ended or closed its socket; no later request will be answered either.
    case gone(String)
    /// The launcher was killed and is started again; whether the request was carried out is unknown.
    case restarted(String)
    /// No answer in time; whether the request was carried out is unknown.
    case timedOut(Duration)
    /// The request is larger than ``LauncherMessage/largest``.
    case tooLarge(Int)

    public var description: String {
        switch self {
        case .gone(let detail):
            "the launcher is gone (\(detail)): restart the supervisor; sessions that run go on meanwhile"
        case .restarted(let detail): "\(detail), and is started again: try again"
        case .timedOut(let limit): "the launcher did not answer within \(limit)"
        case .tooLarge(let bytes):
            "the request to the launcher has \(bytes) bytes, the limit is \(LauncherMessage.largest): "
                + "shorten the session's environment"
        }
    }
}
