import Glibc

/// A journal's directory, held by descriptor. A segment is named for its first record: sixteen hexadecimal digits.
final class JournalDirectory: Sendable {
    let descriptor: Int32

    /// More segments than this are not a journal of ours.
    static let mostSegments = 100_000

    /// - Parameter copying: stays the caller's.
    init(copying descriptor: Int32) throws(JournalError) {
        self.descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard self.descriptor >= 0 else { throw .system("opening the session's journal", errno: errno) }
    }

    init(path: String) throws(JournalError) {
        descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("opening the journal \(path)", errno: errno) }
    }

    deinit { close(descriptor) }

    static func name(of first: UInt64) -> String {
        let digits = String(first, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits + ".seg"
    }

    /// The first numbers of all segments, rising.
    func segments() throws(JournalError) -> [UInt64] {
        try names().compactMap { name in
            guard name.hasSuffix(".seg"), name.utf8.count == 20, let first = UInt64(name.dropLast(4), radix: 16),
                Self.name(of: first) == name
            else { return nil }
            return first
        }.sorted()
    }

    func names() throws(JournalError) -> [String] {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw .system("reading the session's journal", errno: errno) }
        guard let stream = fdopendir(copy) else {
            let code = errno
            close(copy)
            throw .system("reading the session's journal", errno: code)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while names.count < Self.mostSegments, let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }

    func open(_ name: String, _ flags: Int32) throws(JournalError) -> Int32 {
        let file = openat(descriptor, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0o600)
        guard file >= 0 else { throw .system("opening segment \(name) of the session's journal", errno: errno) }
        return file
    }

    func rename(_ name: String, to other: String) throws(JournalError) {
        guard renameat(descriptor, name, descriptor, other) == 0 else {
            throw .system("renaming segment \(name) of the session's journal", errno: errno)
        }
    }

    func remove(_ name: String) { unlinkat(descriptor, name, 0) }

    /// 0 or errno.
    func sync() -> Int32 { fsync(descriptor) == 0 ? 0 : errno }
}
