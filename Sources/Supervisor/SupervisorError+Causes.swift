import Glibc
import Registry
import WorkerControl

extension SupervisorError {
    init(_ error: RegistryError) {
        switch error {
        case .storage: self.init(.storage, "\(error)")
        case .invalid, .keyReused: self.init(.invalid, "\(error)")
        case .exists: self.init(.exists, "\(error)")
        case .notFound: self.init(.notFound, "\(error)")
        case .exhausted: self.init(.full, "\(error)", retryAfterSeconds: 300)
        case .locked, .corrupt, .cancelled: self.init(.unavailable, "\(error)")
        }
    }

    init(_ error: LauncherError) {
        switch error {
        case .gone: self.init(.unavailable, "\(error)", retryAfterSeconds: 30)
        case .restarted: self.init(.unavailable, "\(error)", retryAfterSeconds: 1)
        case .timedOut: self.init(.unresponsive, "\(error)")
        case .tooLarge: self.init(.invalid, "\(error)")
        }
    }

    init(_ failure: LaunchFailure) {
        let text = "the session did not start: \(failure.step): \(failure.message). \(failure.remedy)"
        // clone3(2) says ENOSPC for "no more namespaces", which no disk helps.
        let isStorage = (failure.errno == ENOSPC && failure.step != "clone") || failure.errno == EDQUOT
        self.init(isStorage ? .storage : .launchFailed, text, launchFailure: failure)
    }

    /// A command that a worker did not answer.
    init(worker error: any Error) {
        switch error {
        case let error as SupervisorError: self = error
        case let error as WorkerConnectionError: self.init(.unresponsive, "\(error)")
        case is CancellationError: self.init(.unavailable, "the request was cancelled")
        default: self.init(.invalid, "\(error)")
        }
    }

    /// A command that a worker refused.
    init(refusal code: String, _ detail: String) {
        switch code {
        case "input_too_large", "unknown_dialect", "unsupported_command": self.init(.invalid, detail)
        case "journal_full": self.init(.storage, detail, retryAfterSeconds: 30)
        default: self.init(.wrongState, detail)
        }
    }
}

/// Runs a registry call with the supervisor's errors.
func stored<Value>(
    _ body: () async throws(RegistryError) -> Value, isolation: isolated (any Actor)? = #isolation
) async throws(SupervisorError) -> Value {
    do throws(RegistryError) { return try await body() } catch { throw SupervisorError(error) }
}
