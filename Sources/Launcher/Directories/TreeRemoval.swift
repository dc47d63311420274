import CLinux
import Glibc
import Sandbox

/// Empties directories that a tenant could write: whatever names, links, modes and depth are in there.
///
/// Links are removed, never followed. A directory that is not empty is emptied by moving the directories in it up to the
/// top, so that two descriptors do for a tree of any depth, and no path is ever long.
struct TreeRemoval {
    private let top: Directory
    private let kept: Set<[CChar]>
    private var moved = 0

    /// How many names are held in memory at once.
    private static let batch = 4096
    private static let prefix = ".rookery-removed-"

    private init(_ top: Directory, keep: Set<String>) {
        self.top = top
        self.kept = Set(keep.map { Array($0.utf8CString) })
    }

    /// Removes everything in the directory but the named entries.
    static func empty(_ directory: Directory, keep: Set<String> = []) throws(SystemError) {
        var removal = TreeRemoval(directory, keep: keep)
        try removal.run()
    }

    /// Removes an entry of a directory with all that is in it. Fine when there is none.
    static func remove(_ name: String, in parent: Directory) throws(SystemError) {
        if unlinkat(parent.descriptor.number, name, 0) == 0 || errno == ENOENT { return }
        guard let directory = try parent.directoryIfThere(name) else { return }
        try empty(directory)
        guard unlinkat(parent.descriptor.number, name, Int32(AT_REMOVEDIR)) == 0 || errno == ENOENT else {
            throw SystemError(call: "rmdir \(parent.path)/\(name)", errno: errno)
        }
    }

    private mutating func run() throws(SystemError) {
        while true {
            let names = try Self.names(of: top.descriptor.number, path: top.path, leaving: kept)
            if names.isEmpty { return }
            for name in names { try removeTopEntry(name) }
        }
    }

    private mutating func removeTopEntry(_ name: [CChar]) throws(SystemError) {
        let parent = top.descriptor.number
        if unlinkat(parent, name, 0) == 0 || errno == ENOENT { return }
        // A directory (EISDIR, or EPERM by POSIX), or a failure that shows again below.
        if unlinkat(parent, name, Int32(AT_REMOVEDIR)) == 0 { return }
        let directory = try Self.open(name, in: parent, path: top.path)
        while true {
            let names = try Self.names(of: directory.number, path: top.path, leaving: [])
            if names.isEmpty { break }
            for name in names { try removeOrRaise(name, from: directory.number) }
        }
        guard unlinkat(parent, name, Int32(AT_REMOVEDIR)) == 0 || errno == ENOENT else {
            throw SystemError(call: "rmdir below \(top.path)", errno: errno)
        }
    }

    private mutating func removeOrRaise(_ name: [CChar], from directory: Int32) throws(SystemError) {
        if unlinkat(directory, name, 0) == 0 || errno == ENOENT { return }
        if unlinkat(directory, name, Int32(AT_REMOVEDIR)) == 0 { return }
        guard errno == ENOTEMPTY || errno == EEXIST || errno == EACCES else {
            throw SystemError(call: "remove below \(top.path)", errno: errno)
        }
        // Moving a directory changes its `..`, for which its owner needs to be able to write it.
        _ = try Self.open(name, in: directory, path: top.path)
        while true {
            moved += 1
            let raised = Array("\(Self.prefix)\(moved)".utf8CString)
            if renameat(directory, name, top.descriptor.number, raised) == 0 { return }
            // A removal that was interrupted left that name.
            guard errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR else {
                throw SystemError(call: "move below \(top.path)", errno: errno)
            }
        }
    }

    /// Opens a directory by its name's bytes, making it accessible to its owner first where it is not.
    private static func open(_ name: [CChar], in parent: Int32, path: String) throws(SystemError) -> OwnedDescriptor {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        var number = openat(parent, name, flags)
        if number < 0, errno == EACCES {
            // Root needs none of this; a rootless launcher owns the directory, and nothing of the tenant runs any more.
            _ = fchmodat(parent, name, 0o700, 0)
            number = openat(parent, name, flags)
        }
        guard number >= 0 else { throw SystemError(call: "open below \(path)", errno: errno) }
        let descriptor = OwnedDescriptor(owning: number)
        if geteuid() != 0 { _ = fchmod(number, 0o700) }
        return descriptor
    }

    /// Names as they are, in whatever encoding, at most `most` of them.
    static func names(
        of directory: Int32, path: String, leaving kept: Set<[CChar]>, most: Int = batch
    ) throws(SystemError) -> [[CChar]] {
        let copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else {
            let code = errno
            if copy >= 0 { close(copy) }
            throw SystemError(call: "read below \(path)", errno: code)
        }
        defer { closedir(stream) }
        var names: [[CChar]] = []
        while names.count < most, let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1))
                }
            }
            if name == [46, 0] || name == [46, 46, 0] || kept.contains(name) { continue }
            names.append(name)
        }
        return names
    }
}
