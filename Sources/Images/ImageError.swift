/// What is wrong with an image or the directory of images, and what to do about it.
public struct ImageError: Error, Sendable, Hashable, CustomStringConvertible {
    public var problem: String
    public var remedy: String
    /// The errno where a system call failed, else 0.
    public var errno: Int32

    public init(_ problem: String, remedy: String, errno: Int32 = 0) {
        self.problem = problem
        self.remedy = remedy
        self.errno = errno
    }

    public var description: String { remedy.isEmpty ? problem : "\(problem); \(remedy)" }
}
