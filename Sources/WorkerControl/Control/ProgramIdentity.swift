import Glibc

/// Which build of a program a file is, or a process runs: a file that was replaced is another one.
public struct ProgramIdentity: Codable, Sendable, Hashable {
    public var device: UInt64
    public var inode: UInt64
    /// Bytes.
    public var size: Int64
    /// When it was last written, in nanoseconds since 1970: an inode's number comes again.
    public var modified: Int64

    /// nil when there is no such file.
    public init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }

    /// What this process runs, whatever is at its path by now.
    public static let own = ProgramIdentity(path: "/proc/self/exe")
}
