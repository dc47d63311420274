import Glibc

/// Why a journal cannot be opened or read.
public enum JournalError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A system call failed: what it was about, and its errno.
    case system(String, errno: Int32)
    /// Good records follow on something that is none: what a crash cannot leave behind.
    case damaged(segment: String, offset: Int, detail: String)
    /// Another process writes it.
    case busy

    public var description: String {
        switch self {
        case .system(let what, let code): "\(what): \(String(cString: strerror(code)))"
        case .damaged(let segment, let offset, let detail):
            "the session's journal is damaged in segment \(segment) at byte \(offset): \(detail)"
        case .busy: "another worker writes the session's journal"
        }
    }
}

/// Why nothing can be appended now: the disk is full, over quota or failing. It is tried again until it works.
public struct LogStall: Error, Sendable, Hashable, CustomStringConvertible {
    public var errno: Int32

    public init(errno: Int32) { self.errno = errno }

    /// A stable word: `disk_full`, `quota` or `io_error`.
    public var reason: String {
        switch errno {
        case ENOSPC: "disk_full"
        case EDQUOT: "quota"
        default: "io_error"
        }
    }

    public var description: String {
        switch errno {
        case ENOSPC: "the disk of the sessions' journals is full; free some space on it"
        case EDQUOT: "the service's disk quota for journals is used up; raise it or free some space"
        default: "the disk of the sessions' journals fails: \(String(cString: strerror(errno))); see the kernel's log"
        }
    }
}
