import CLinux
import Glibc
import Sandbox
import WorkerControl

/// Copies a directory that a tenant writes, while it may write: whatever names, links, modes and sizes are in there.
///
/// Every name is opened in a directory that is open already, and no link is followed, so nothing but what is below is ever
/// read, and nothing but the copy written. A file's holes stay holes, and names of one file are names of one file.
struct TreeCopy {
    /// Whose a file is in the copy.
    struct Owners {
        let from: UIDRange
        let to: UIDRange

        func mapped(_ id: UInt32) -> UInt32 {
            // Nobody else's can be in there; should it be, it becomes the session's user's.
            to.host(from.contains(id) ? UInt16(truncatingIfNeeded: id - from.base) : 1000)
        }
    }

    /// Directories in directories: each takes descriptors while it is copied.
    static let deepest = 100

    /// nil: the copy belongs to whoever makes it.
    var owners: Owners?
    private(set) var copied = CopiedFiles()
    private var links = LinkedFiles()
    private var buffer = [UInt8](repeating: 0, count: 1 << 20)

    mutating func copy(_ source: Directory, into target: Directory) throws(SystemError) {
        links = LinkedFiles(root: target.descriptor.number)
        try copy(source.descriptor.number, into: target.descriptor.number, path: target.path, depth: 0)
    }

    private mutating func copy(
        _ source: Int32, into target: Int32, path: String, depth: Int
    ) throws(SystemError) {
        guard depth <= Self.deepest else {
            throw SystemError(call: "directories are more than \(Self.deepest) deep below \(path)", errno: ELOOP)
        }
        for name in try TreeRemoval.names(of: source, path: path, leaving: [], most: .max) {
            var about = stat()
            guard fstatat(source, name, &about, AT_SYMLINK_NOFOLLOW) == 0 else {
                copied.left += 1
                continue
            }
            switch about.st_mode & S_IFMT {
            case S_IFDIR: try copyDirectory(name, source, target, path, depth)
            case S_IFREG: try copyFile(name, source, target, path)
            case S_IFLNK: try copyLink(name, source, target, path, about)
            default: copied.left += 1
            }
        }
    }

    private mutating func copyDirectory(
        _ name: [CChar], _ source: Int32, _ target: Int32, _ path: String, _ depth: Int
    ) throws(SystemError) {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        guard let original = opened(openat(source, name, flags)) else { return }
        guard mkdirat(target, name, 0o700) == 0 else { throw SystemError(call: "mkdir below \(path)", errno: errno) }
        let made = openat(target, name, flags)
        guard made >= 0 else { throw SystemError(call: "open below \(path)", errno: errno) }
        let copy = OwnedDescriptor(owning: made)
        links.enter(name)
        try self.copy(original.number, into: copy.number, path: path, depth: depth + 1)
        links.leave()
        try finish(copy, as: original, path)
    }

    private mutating func copyFile(
        _ name: [CChar], _ source: Int32, _ target: Int32, _ path: String
    ) throws(SystemError) {
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        guard let original = opened(openat(source, name, flags)) else { return }
        var about = stat()
        // Another thing may be there by now.
        guard fstat(original.number, &about) == 0, about.st_mode & S_IFMT == S_IFREG else {
            copied.left += 1
            return
        }
        if links.link(about, as: name, in: target) {
            copied.files += 1
            return
        }
        let made = openat(target, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard made >= 0 else { throw SystemError(call: "create a file below \(path)", errno: errno) }
        let copy = OwnedDescriptor(owning: made)
        try copyContent(of: original.number, to: copy.number, size: about.st_size, path)
        try finish(copy, as: original, path)
        links.keep(about, as: name)
    }

    /// As far as the file went when it was opened: one that grows all the time comes to an end.
    private mutating func copyContent(
        of original: Int32, to copy: Int32, size: off_t, _ path: String
    ) throws(SystemError) {
        var offset: off_t = 0
        while offset < size {
            // SEEK_DATA and SEEK_HOLE (lseek(2)); a file system without them has data everywhere.
            let start = lseek(original, offset, 3)
            if start < 0, errno == ENXIO { break }
            let begin = max(start, offset)
            let hole = lseek(original, begin, 4)
            var at = begin
            let end = min(hole > begin ? hole : size, size)
            while at < end {
                let wanted = Int(min(off_t(buffer.count), end - at))
                let count = pread(original, &buffer, wanted, at)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw SystemError(call: "read for \(path)", errno: errno) }
                // It was cut short meanwhile.
                if count == 0 { return try setSize(of: copy, to: at, path) }
                try write(count, to: copy, at: at, path)
                at += off_t(count)
                copied.bytes += UInt64(count)
            }
            offset = end
        }
        try setSize(of: copy, to: size, path)
    }

    private func write(_ count: Int, to copy: Int32, at place: off_t, _ path: String) throws(SystemError) {
        var written = 0
        while written < count {
            let result = buffer.withUnsafeBytes { bytes in
                pwrite(copy, bytes.baseAddress.map { $0 + written }, count - written, place + off_t(written))
            }
            if result < 0, errno == EINTR { continue }
            guard result > 0 else { throw SystemError(call: "write below \(path)", errno: errno) }
            written += result
        }
    }

    private func setSize(of copy: Int32, to size: off_t, _ path: String) throws(SystemError) {
        guard ftruncate(copy, size) == 0 else { throw SystemError(call: "ftruncate below \(path)", errno: errno) }
    }

    private mutating func copyLink(
        _ name: [CChar], _ source: Int32, _ target: Int32, _ path: String, _ about: stat
    ) throws(SystemError) {
        var text = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        guard readlinkat(source, name, &text, Int(PATH_MAX)) > 0 else {
            copied.left += 1
            return
        }
        guard symlinkat(text, target, name) == 0 else { throw SystemError(call: "link below \(path)", errno: errno) }
        if let owners {
            let (uid, gid) = (owners.mapped(about.st_uid), owners.mapped(about.st_gid))
            guard fchownat(target, name, uid, gid, AT_SYMLINK_NOFOLLOW) == 0 else {
                throw SystemError(call: "chown below \(path)", errno: errno)
            }
        }
        copied.files += 1
    }

    /// Whose it is, what may be done with it, when it was written, and what its user has noted about it (`user.*`). Neither a
    /// bit nor an attribute that lends rights.
    private mutating func finish(
        _ copy: OwnedDescriptor, as original: OwnedDescriptor, _ path: String
    ) throws(SystemError) {
        var about = stat()
        guard fstat(original.number, &about) == 0 else { throw SystemError(call: "stat for \(path)", errno: errno) }
        let attributes = rk_copy_user_attributes(original.number, copy.number)
        guard attributes == 0 else { throw SystemError(call: "attributes below \(path)", errno: -attributes) }
        if let owners, fchown(copy.number, owners.mapped(about.st_uid), owners.mapped(about.st_gid)) != 0 {
            throw SystemError(call: "chown below \(path)", errno: errno)
        }
        let times = [about.st_atim, about.st_mtim]
        guard fchmod(copy.number, about.st_mode & 0o1777) == 0, futimens(copy.number, times) == 0 else {
            throw SystemError(call: "chmod below \(path)", errno: errno)
        }
        copied.files += 1
    }

    /// What cannot be opened any more is left out.
    private mutating func opened(_ number: Int32) -> OwnedDescriptor? {
        guard number >= 0 else {
            copied.left += 1
            return nil
        }
        return OwnedDescriptor(owning: number)
    }
}
