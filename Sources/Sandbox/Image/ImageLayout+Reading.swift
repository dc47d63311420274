import CLinux
import Glibc

extension ImageLayout {
    /// Looks at the root of a mounted image.
    public init(of mount: OwnedDescriptor) throws(SystemError) {
        let names = try Self.names(in: mount)
        var entries: [HostImage.Entry] = []
        for name in names where Self.shows(name) {
            var status = stat()
            guard fstatat(mount.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                throw SystemError(call: "stat /\(name) of the image", errno: errno)
            }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: entries.append(.directory("/\(name)"))
            case S_IFLNK:
                var target = [CChar](repeating: 0, count: Int(PATH_MAX))
                let count = readlinkat(mount.number, name, &target, target.count)
                guard count > 0 else { throw SystemError(call: "readlink /\(name) of the image", errno: errno) }
                let text = String(decoding: target.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
                entries.append(.link("/\(name)", target: text))
            default: continue
            }
        }
        guard entries.contains(.directory("/usr")) || entries.contains(.directory("/bin")) else {
            throw SystemError(call: "the image has neither /usr nor /bin", errno: ENOENT)
        }
        self.init(entries: entries)
    }

    /// Whether a program can be found at a path of the image, links followed inside it.
    public static func has(_ path: String, in mount: OwnedDescriptor) -> Bool {
        let file = rk_open(
            mount.number, path, UInt64(RK_OPEN_PATH), 0, UInt64(RK_RESOLVE_IN_ROOT | RK_RESOLVE_NO_MAGIC_LINKS))
        guard file >= 0 else { return false }
        defer { close(file) }
        var identity = rk_identity()
        return rk_identify(file, &identity) == 0 && identity.mode & S_IFMT == S_IFREG && identity.mode & 0o001 != 0
    }

    private static func names(in mount: OwnedDescriptor) throws(SystemError) -> [String] {
        let copy = openat(mount.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else {
            let code = errno
            if copy >= 0 { close(copy) }
            throw SystemError(call: "read the image's root", errno: code)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            guard names.count < most else { throw SystemError(call: "read the image's root", errno: E2BIG) }
            names.append(name)
        }
        return names.sorted()
    }
}
