import Glibc

/// A socket's file as it was when we bound it: it is removed only while it is still ours, not a successor's that has the
/// same path.
public struct SocketFile: Sendable, Hashable {
    private let path: String
    private let device: UInt64
    private let inode: UInt64

    /// To be made right after binding; nil when there is no file.
    public init?(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
        self.path = path
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    /// Removes it if it is the one that was bound.
    public func remove() {
        guard SocketFile(path) == self else { return }
        unlink(path)
    }
}
