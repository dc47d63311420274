/// A step of cgroup work that the kernel refused.
public struct CgroupFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// `cgroup <controller>`, or `cgroup` where no controller is meant.
    public var step: String
    public var errno: Int32
    public var message: String
    public var remedy: String

    public var description: String { "\(step): \(message); \(remedy)" }
}
