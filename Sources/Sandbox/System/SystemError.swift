import Glibc

/// A failed system call.
public struct SystemError: Error, Sendable, Hashable {
    /// The call, with its object where that helps, such as `openat2 /usr`.
    public var call: String
    public var errno: Int32

    public init(call: String, errno: Int32) {
        self.call = call
        self.errno = errno
    }

    /// The kernel's words for ``errno``.
    public var reason: String { Self.reason(errno) }

    /// What strerror(3) says, with the number.
    public static func reason(_ errno: Int32) -> String {
        let text = strerror(errno).map { String(cString: $0) } ?? "unknown error"
        return "\(text) (errno \(errno))"
    }

    /// Turns CLinux's convention (`-errno` is a failure) into a thrown error.
    @discardableResult
    public static func check<Value: BinaryInteger>(
        _ call: @autoclosure () -> String, _ result: Value
    ) throws(SystemError) -> Value {
        if result < 0 { throw SystemError(call: call(), errno: Int32(truncatingIfNeeded: -Int64(result))) }
        return result
    }
}

extension SystemError: CustomStringConvertible {
    public var description: String { "\(call): \(reason)" }
}
