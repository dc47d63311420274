import CLinux
import ClaudeCode
import Foundation
import Glibc
import WorkerControl

/// The session's home, or its workspace, through its descriptor. The session can put anything there at any time, so every open stays
/// beneath it, follows no symbolic link, and reads nothing but regular files of bounded size.
struct HomeDirectory {
    let descriptor: Int32

    /// A path as seen inside the sandbox, relative to the home; nil when it is not in there.
    static func relative(_ absolutePath: String) -> String? {
        let prefix = SandboxLayout.home + "/"
        return absolutePath.hasPrefix(prefix) ? String(absolutePath.dropFirst(prefix.count)) : nil
    }

    /// Opens a path relative to the home.
    func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(SystemCallError) -> Int32 {
        let opened = rk_open_beneath(descriptor, path, flags, mode)
        guard opened >= 0 else { throw SystemCallError("opening \(path) in the session's home", errno: -opened) }
        return opened
    }

    /// A whole regular file, or nil when there is none, it is none, or it is larger than `limit`.
    func read(_ path: String, limit: Int) -> Data? {
        guard let file = try? openRegular(path) else { return nil }
        defer { close(file.descriptor) }
        guard file.size <= limit else { return nil }
        return Self.read(file.descriptor, at: 0, limit: limit + 1).flatMap { $0.count <= limit ? $0 : nil }
    }

    /// A regular file opened for reading, with its size and inode. A FIFO does not block, a device is refused.
    func openRegular(_ path: String) throws(SystemCallError) -> (descriptor: Int32, size: Int, inode: ino_t) {
        let descriptor = try open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        var about = stat()
        guard fstat(descriptor, &about) == 0, about.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw SystemCallError("\(path) in the session's home is not a regular file", errno: EINVAL)
        }
        return (descriptor, Int(about.st_size), about.st_ino)
    }

    /// The last `limit` bytes of a regular file; nil when it cannot be read.
    func end(of path: String, limit: Int) -> Data? {
        guard let file = try? openRegular(path) else { return nil }
        defer { close(file.descriptor) }
        return Self.read(file.descriptor, at: max(file.size - limit, 0), limit: limit)
    }

    /// Up to `limit` bytes from `offset`; nil on failure.
    static func read(_ file: Int32, at offset: Int, limit: Int) -> Data? {
        var data = Data()
        var chunk = [UInt8](repeating: 0, count: min(limit, 64 * 1024))
        while data.count < limit {
            let wanted = min(chunk.count, limit - data.count)
            let count = pread(file, &chunk, wanted, off_t(offset + data.count))
            if count < 0 { return errno == EINTR ? data : nil }
            if count == 0 { break }
            data.append(contentsOf: chunk[..<count])
        }
        return data
    }

    /// The names in a directory, at most `limit` of them; empty when it cannot be read.
    func names(in path: String, limit: Int) -> [String] {
        guard let directory = try? open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK) else { return [] }
        guard let stream = fdopendir(directory) else {
            close(directory)
            return []
        }
        defer { closedir(stream) }
        var names: [String] = []
        while names.count < limit, let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// Makes a directory and those on the way, mode 0700.
    func makeDirectory(_ path: String) throws(SystemCallError) {
        var walked = ""
        for component in path.split(separator: "/") {
            let parent = walked.isEmpty ? "." : walked
            let directory = try open(parent, RK_O_PATH | O_DIRECTORY)
            defer { close(directory) }
            if mkdirat(directory, String(component), 0o700) != 0, errno != EEXIST {
                throw SystemCallError("making \(path) in the session's home", errno)
            }
            walked += walked.isEmpty ? String(component) : "/\(component)"
        }
    }

    /// Writes a file under a temporary name and renames it into place.
    func write(_ content: Data, to path: String, mode: mode_t) throws(SystemCallError) {
        let parts = path.split(separator: "/")
        let folder = parts.dropLast().joined(separator: "/")
        if !folder.isEmpty { try makeDirectory(folder) }
        let name = String(parts.last ?? "")
        let directory = try open(folder.isEmpty ? "." : folder, RK_O_PATH | O_DIRECTORY)
        defer { close(directory) }
        let temporary = ".\(name).rookery"
        unlinkat(directory, temporary, 0)
        let file = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard file >= 0 else { throw SystemCallError("creating \(path) in the session's home", errno) }
        defer { close(file) }
        var written = 0
        while written < content.count {
            let count = content.withUnsafeBytes { bytes in
                Glibc.write(file, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemCallError("writing \(path) in the session's home", errno) }
            written += count
        }
        guard renameat(directory, temporary, directory, name) == 0 else {
            throw SystemCallError("renaming \(path) into place in the session's home", errno)
        }
    }
}

extension HomeDirectory {
    /// Where the CLI keeps its status files, relative to the home.
    static let statusDirectory = ".claude/sessions"

    /// Writes what the CLI must find, and removes status files that an earlier incarnation left: nothing of the
    /// session runs yet.
    /// - Parameter isFirst: it is the session's first incarnation.
    func seed(isFirst: Bool) throws(SystemCallError) {
        for file in HomeSeed.files(isFirst: isFirst) {
            let existing = read(file.path, limit: 16 << 20)
            if let content = file.content(existing) { try write(content, to: file.path, mode: mode_t(file.mode)) }
        }
        try makeDirectory(Self.statusDirectory)
        let directory = try open(Self.statusDirectory, RK_O_PATH | O_DIRECTORY)
        defer { close(directory) }
        for name in names(in: Self.statusDirectory, limit: 4096) where name.hasSuffix(".json") {
            unlinkat(directory, name, 0)
        }
    }
}
