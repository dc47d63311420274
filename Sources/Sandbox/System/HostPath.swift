import Glibc

/// What lies at a path of the host, without following a symbolic link at its end.
enum HostPath {
    enum Kind: Equatable {
        case directory
        case file
        case link(target: String)
        case other
    }

    /// nil when nothing is there or it cannot be looked at.
    static func kind(of path: String) -> Kind? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return .directory
        case S_IFREG: return .file
        case S_IFLNK:
            var target = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink(path, &target, target.count)
            guard count > 0 else { return nil }
            return .link(target: String(decoding: target.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self))
        default: return .other
        }
    }

    /// When something last came to a directory, went from it or was renamed in it.
    struct ChangeTime: Equatable {
        var seconds: Int
        var nanoseconds: Int
    }

    static func changeTime(_ path: String) -> ChangeTime? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return ChangeTime(seconds: status.st_ctim.tv_sec, nanoseconds: status.st_ctim.tv_nsec)
    }

    /// The names in a directory, sorted; empty when it cannot be read.
    static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The path without symbolic links (realpath(3)).
    static func resolved(_ path: String) throws(SystemError) -> String {
        guard let resolved = realpath(path, nil) else { throw SystemError(call: "realpath \(path)", errno: errno) }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The first line of a small file such as a sysctl; nil when it cannot be read.
    static func line(of path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(file, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return String(decoding: bytes.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// Writes a whole text with one call, as the files of /proc want it.
    static func write(_ text: String, to path: String) throws(SystemError) {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw SystemError(call: "open \(path)", errno: errno) }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard Glibc.write(file, bytes, bytes.count) == bytes.count else {
            throw SystemError(call: "write \(path)", errno: errno)
        }
    }
}
