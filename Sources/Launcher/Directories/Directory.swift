import CLinux
import Glibc
import Sandbox

/// A directory held by descriptor. Names below it are resolved from there, through no link, and never out of it.
struct Directory: Sendable {
    let descriptor: OwnedDescriptor
    /// For messages.
    let path: String

    private static let confined = UInt64(RK_RESOLVE_BENEATH | RK_RESOLVE_NO_SYMLINKS | RK_RESOLVE_NO_MAGIC_LINKS)

    init(descriptor: OwnedDescriptor, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Opens an absolute path that has no links in it.
    init(at path: String) throws(SystemError) {
        let number = rk_open(
            AT_FDCWD, path, UInt64(O_RDONLY | O_DIRECTORY), 0,
            UInt64(RK_RESOLVE_NO_SYMLINKS | RK_RESOLVE_NO_MAGIC_LINKS))
        self.init(descriptor: OwnedDescriptor(owning: try SystemError.check("open \(path)", number)), path: path)
    }

    func open(_ name: String, flags: Int32, mode: UInt64 = 0) throws(SystemError) -> OwnedDescriptor {
        let number = rk_open(descriptor.number, name, UInt64(flags), mode, Self.confined)
        return OwnedDescriptor(owning: try SystemError.check("open \(path)/\(name)", number))
    }

    func directory(_ name: String) throws(SystemError) -> Directory {
        Directory(descriptor: try open(name, flags: O_RDONLY | O_DIRECTORY), path: "\(path)/\(name)")
    }

    /// nil where there is none.
    func directoryIfThere(_ name: String) throws(SystemError) -> Directory? {
        do { return try directory(name) } catch {
            if error.errno == ENOENT { return nil }
            throw error
        }
    }

    /// Opens a directory of mode 0700, making it where it is missing; `made` tells which. A new one is given to the
    /// owner; one that was there must be the owner's already.
    func directory(
        _ name: String, owner uid: UInt32, group gid: UInt32
    ) throws(SystemError) -> (directory: Directory, made: Bool) {
        let made = mkdirat(descriptor.number, name, 0o700) == 0
        if !made, errno != EEXIST { throw SystemError(call: "mkdir \(path)/\(name)", errno: errno) }
        do throws(SystemError) {
            let directory = try directory(name)
            let owned = try directory.identity()
            if (owned.uid, owned.gid) != (uid, gid) {
                guard made else {
                    throw SystemError(call: "\(path)/\(name) belongs to uid \(owned.uid), not \(uid)", errno: EPERM)
                }
                guard fchown(directory.descriptor.number, uid, gid) == 0 else {
                    throw SystemError(call: "chown \(path)/\(name)", errno: errno)
                }
            }
            return (directory, made)
        } catch {
            if made { _ = unlinkat(descriptor.number, name, Int32(AT_REMOVEDIR)) }
            throw error
        }
    }

    func identity() throws(SystemError) -> rk_identity {
        var identity = rk_identity()
        try SystemError.check("stat \(path)", rk_identify(descriptor.number, &identity))
        return identity
    }

    /// Names of all entries but `.` and `..`, at most `most` of them.
    func names(most: Int = .max) throws(SystemError) -> [String] {
        let copy = openat(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else {
            let code = errno
            if copy >= 0 { close(copy) }
            throw SystemError(call: "read \(path)", errno: code)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while names.count < most, let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
