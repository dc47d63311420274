import GRDB

/// Why the registry refused or failed.
public enum RegistryError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Another supervisor holds the state directory; `pid` as it wrote it into the lock file.
    case locked(path: String, pid: Int32?)
    /// The disk is full, or the file cannot be read or written.
    case storage(String)
    /// The file is no registry, or holds what this version cannot read.
    case corrupt(String)
    /// Something with that identity is there already.
    case exists(String)
    /// A value is not acceptable.
    case invalid(String)
    /// No such tenant, user or token.
    case notFound(String)
    /// The idempotency key was used for another request.
    case keyReused
    /// Every uid range is taken.
    case exhausted(String)
    /// The caller's task was cancelled; nothing was written.
    case cancelled

    public var description: String {
        switch self {
        case .locked(let path, let pid):
            "the registry is locked: \(pid.map { "process \($0)" } ?? "another process") holds \(path). "
                + "Stop that supervisor, or use another --state-dir"
        case .storage(let detail):
            "the registry cannot be written: \(detail). Free space on its disk and see to its permissions"
        case .corrupt(let detail): "the registry is damaged: \(detail)"
        case .exists(let detail), .invalid(let detail), .notFound(let detail), .exhausted(let detail): detail
        case .keyReused: "the idempotency key was used for a different request: choose another key"
        case .cancelled: "the request was cancelled"
        }
    }
}

extension RegistryError {
    /// What a failure of SQLite means to the caller.
    init(_ error: any Error) {
        switch error {
        case let error as RegistryError: self = error
        case let error as DatabaseError: self = RegistryError(error)
        case is CancellationError: self = .cancelled
        default: self = .corrupt("\(error)")
        }
    }

    private init(_ error: DatabaseError) {
        let text = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_BUSY, .SQLITE_NOMEM:
            self = .storage("\(text) (SQLite \(error.extendedResultCode.rawValue))")
        case .SQLITE_CONSTRAINT
        where error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE
            || error.extendedResultCode == .SQLITE_CONSTRAINT_PRIMARYKEY:
            self = .exists(text)
        case .SQLITE_CONSTRAINT: self = .invalid(text)
        case .SQLITE_INTERRUPT, .SQLITE_ABORT: self = .cancelled
        default: self = .corrupt("\(text) (SQLite \(error.extendedResultCode.rawValue))")
        }
    }
}
