/// Why a sandbox did not start: which step, what the kernel said, and what to do about it. Nothing is left behind.
public struct SandboxError: Error, Sendable, Hashable {
    /// The step's stable name, such as `clone`, `id-map`, `mount /workspace`, `network`, `exec`.
    public var step: String
    /// The errno, 0 when the failure was not a system call's.
    public var errno: Int32
    /// What happened, to what.
    public var message: String
    /// What an operator can do; empty when nothing better is known than what `message` says.
    public var remedy: String

    public init(step: String, errno: Int32, message: String, remedy: String = "") {
        self.step = step
        self.errno = errno
        self.message = message
        self.remedy = remedy
    }
}

extension SandboxError: CustomStringConvertible {
    public var description: String { remedy.isEmpty ? "\(step): \(message)" : "\(step): \(message); \(remedy)" }
}
