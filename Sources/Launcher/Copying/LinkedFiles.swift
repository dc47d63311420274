import Glibc

/// Files of a tree that have more names than the one by which they were copied, so that the next name becomes a name of
/// the same copy.
///
/// The tree of the copies is nobody's else while it is made: a path in it leads where it led. Bounded, for a tenant has as
/// many such files as they like: what is not remembered is copied once more.
struct LinkedFiles {
    private struct File: Hashable {
        var device: dev_t
        var inode: ino_t
    }

    private static let mostBytes = 16 << 20

    /// The directory at the top of the copies.
    private var root: Int32 = -1
    /// From there to the directory that is copied now, each with its slash.
    private var directories: [[CChar]] = []
    private var known: [File: (path: [CChar], left: nlink_t)] = [:]
    private var bytes = 0

    init() {}

    init(root: Int32) { self.root = root }

    /// - Parameter name: ends with a zero, as all here.
    mutating func enter(_ name: [CChar]) {
        directories.append(name.prefix { $0 != 0 } + [CChar(bitPattern: UInt8(ascii: "/"))])
    }

    mutating func leave() { directories.removeLast() }

    /// Gives the copy of a file another name.
    /// - Returns: false: there is none that could have it.
    mutating func link(_ about: stat, as name: [CChar], in directory: Int32) -> Bool {
        let file = File(device: about.st_dev, inode: about.st_ino)
        guard about.st_nlink > 1, let entry = known[file], linkat(root, entry.path, directory, name, 0) == 0 else {
            return false
        }
        known[file]?.left -= 1
        if entry.left <= 1 { forget(file) }
        return true
    }

    /// Remembers the copy of a file that has other names.
    mutating func keep(_ about: stat, as name: [CChar]) {
        guard about.st_nlink > 1 else { return }
        let file = File(device: about.st_dev, inode: about.st_ino)
        let path = directories.flatMap(\.self) + name
        guard path.count <= PATH_MAX, bytes + path.count <= Self.mostBytes else { return }
        forget(file)
        known[file] = (path, about.st_nlink - 1)
        bytes += path.count
    }

    private mutating func forget(_ file: File) {
        if let gone = known.removeValue(forKey: file) { bytes -= gone.path.count }
    }
}
