import Glibc

/// Reads and writes the small files of a cgroup file system. Every call answers 0 or an errno.
enum CgroupFile {
    /// At most 64 KiB of a file; nil when it cannot be read. `cgroup.procs` of a full session fits.
    static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 1 << 20 {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func write(_ path: String, _ text: String) -> Int32 {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        while true {
            // The kernel takes a cgroup value in one write or not at all.
            if Glibc.write(descriptor, text, text.utf8.count) >= 0 { return 0 }
            if errno != EINTR { return errno }
        }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Others may look, whatever the umask says: the supervisor, which is not root, reads the session's use of it.
    static func makeDirectory(_ path: String) -> Int32 {
        guard mkdir(path, 0o755) == 0 else { return errno }
        return chmod(path, 0o755) == 0 ? 0 : errno
    }

    static func removeDirectory(_ path: String) -> Int32 { rmdir(path) == 0 ? 0 : errno }

    /// Names of the directories in a directory; empty when it cannot be read.
    static func directories(in path: String) -> [String] { entries(of: path, type: DT_DIR) }

    /// Names of the symbolic links in a directory, likewise.
    static func links(in path: String) -> [String] { entries(of: path, type: DT_LNK) }

    private static func entries(of path: String, type: Int) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            guard Int(entry.pointee.d_type) == type else { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The text of an errno.
    static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
