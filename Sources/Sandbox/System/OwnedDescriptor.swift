import CLinux
import Glibc

/// A file descriptor that closes when its last owner lets go of it. Whoever passes ``number`` to a system call keeps
/// the object alive meanwhile (`withExtendedLifetime`, or a stored property).
public final class OwnedDescriptor: Sendable {
    public let number: Int32

    /// Takes the descriptor over; nobody else may close it from here on.
    public init(owning number: Int32) { self.number = number }

    deinit { close(number) }

    /// A close-on-exec copy with an owner of its own.
    public func duplicate() throws(SystemError) -> OwnedDescriptor {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw SystemError(call: "fcntl", errno: Glibc.errno) }
        return OwnedDescriptor(owning: copy)
    }
}

extension OwnedDescriptor: CustomStringConvertible {
    public var description: String { "descriptor \(number)" }
}
