import CLinux
import Glibc

/// The calls by which a journal reaches the disk; tests put failing ones in their place.
public struct JournalDisk: Sendable {
    /// pwritev(2): bytes written, or -errno.
    public var write: @Sendable (_ file: Int32, _ parts: UnsafePointer<iovec>, _ count: Int32, _ offset: off_t) -> Int
    /// fdatasync(2): 0 or errno.
    public var sync: @Sendable (_ file: Int32) -> Int32
    /// Space for bytes beyond the file's end, without changing its size (fallocate(2)): 0 or errno.
    public var allocate: @Sendable (_ file: Int32, _ offset: off_t, _ length: off_t) -> Int32

    public static let real = JournalDisk(
        write: { file, parts, count, offset in
            while true {
                let written = pwritev(file, parts, count, offset)
                if written >= 0 { return written }
                if errno != EINTR { return -Int(errno) }
            }
        },
        sync: { file in
            while fdatasync(file) != 0 { if errno != EINTR { return errno } }
            return 0
        },
        allocate: { file, offset, length in -rk_preallocate(file, offset, length) })
}
