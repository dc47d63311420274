import Glibc

/// What a sandbox that is set up holds itself to, as the kernel shows it in the /proc entry of its pid 1.
public struct InsideLimits: Sendable, Hashable {
    /// nil: no such limit, or it cannot be read.
    public var openFiles: UInt64?
    public var fileSize: UInt64?
    /// Bytes of /tmp and /dev/shm.
    public var temporary: UInt64?
    public var sharedMemory: UInt64?

    /// nil when this process may not look: rootless, pid 1 of a sandbox shows itself to nobody.
    public init?(pid: Int32) {
        guard let text = CgroupFile.read("/proc/\(pid)/limits"), !text.isEmpty else { return nil }
        self.init(text)
        temporary = Self.capacity("/proc/\(pid)/root/tmp")
        sharedMemory = Self.capacity("/proc/\(pid)/root/dev/shm")
    }

    /// From the text of /proc/<pid>/limits: a name, then the soft and the hard limit.
    init(_ text: String) {
        func soft(_ name: String) -> UInt64? {
            text.split(separator: "\n").first { $0.hasPrefix(name) }
                .flatMap { UInt64($0.dropFirst(name.count).split(separator: " ").first ?? "") }
        }
        openFiles = soft("Max open files")
        fileSize = soft("Max file size")
    }

    private static func capacity(_ path: String) -> UInt64? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return UInt64(status.f_blocks) * UInt64(status.f_frsize)
    }
}
