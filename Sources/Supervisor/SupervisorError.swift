public import SessionCore
public import WorkerControl

/// Why the supervisor refused or failed. The API turns each into one `application/problem+json` document.
public struct SupervisorError: Error, Sendable {
    public enum Code: String, Sendable, Hashable {
        /// Unknown, deleted, or another tenant's: the caller cannot tell which. 404
        case notFound = "not_found"
        /// The caller's role does not allow it. 403
        case forbidden
        /// A value is not acceptable. 422
        case invalid
        /// The id exists already. 409
        case exists
        /// The session's state does not allow it. 409
        case wrongState = "wrong_state"
        /// The box is full. 503 with Retry-After
        case full
        /// The sandbox or worker did not start; `launchFailure` says which step. 503
        case launchFailed = "launch_failed"
        /// The worker did not answer in time; what it did is unknown. 504
        case unresponsive
        /// A part of the service is not there (launcher gone, shutting down). 503
        case unavailable
        /// The disk is full or the registry cannot be written. 507
        case storage
    }

    public var code: Code
    /// What happened, to what, and what to do.
    public var detail: String
    public var retryAfterSeconds: Int?
    public var launchFailure: LaunchFailure?

    public init(_ code: Code, _ detail: String, retryAfterSeconds: Int? = nil, launchFailure: LaunchFailure? = nil) {
        self.code = code
        self.detail = detail
        self.retryAfterSeconds = retryAfterSeconds
        self.launchFailure = launchFailure
    }
}

extension SupervisorError {
    /// What a session without a terminal is asked for.
    public static func noScreen(_ id: SessionID) -> SupervisorError {
        SupervisorError(
            .wrongState,
            "session \(id) is structured and has no terminal: follow its 'events' or its 'stream', read its 'transcript', "
                + "or switch it to the terminal kind")
    }
}
