import Foundation
import Glibc

/// Files that are there in full or not at all, also after a power cut.
enum DurableFile {
    /// Replaces a file in one step, mode 0600: a reader sees the old content or the new one.
    static func write(_ data: Data, to path: String) throws {
        let temporary = "\(path).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileError(path) }
        do {
            defer { close(descriptor) }
            try write(data, to: descriptor, path)
            guard fsync(descriptor) == 0 else { throw FileError(path) }
        } catch {
            unlink(temporary)
            throw error
        }
        guard rename(temporary, path) == 0 else {
            let error = FileError(path)
            unlink(temporary)
            throw error
        }
        try synchronize(directoryOf: path)
    }

    /// Removes what whoever was killed left half written in a directory. Nobody writes at one file for an hour.
    static func removeLeftovers(in directory: String, olderThan age: TimeInterval = 3600) {
        let limit = Date(timeIntervalSinceNow: -age).timeIntervalSince1970
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names where name.contains(".new") {
            var status = stat()
            guard lstat("\(directory)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                Double(status.st_mtim.tv_sec) < limit
            else { continue }
            unlink("\(directory)/\(name)")
        }
    }

    /// Adds to the end of a file, which it makes where there is none.
    static func append(_ data: Data, to path: String) throws {
        let isNew = access(path, F_OK) != 0
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileError(path) }
        defer { close(descriptor) }
        try write(data, to: descriptor, path)
        guard fsync(descriptor) == 0 else { throw FileError(path) }
        if isNew { try synchronize(directoryOf: path) }
    }

    /// Moves a file and makes the move durable on both sides. Fine when there is none.
    static func move(_ path: String, to target: String) throws {
        guard rename(path, target) == 0 else {
            if errno == ENOENT { return }
            guard errno == EXDEV else { throw FileError(path) }
            // Landlock before version 2 refuses every move between directories.
            try FileManager.default.copyItem(atPath: path, toPath: target)
            try synchronize(target)
            guard unlink(path) == 0 else { throw FileError(path) }
            return try synchronize(directoryOf: target)
        }
        try synchronize(directoryOf: target)
        try synchronize(directoryOf: path)
    }

    /// Makes a file's content durable that somebody else wrote.
    static func synchronize(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError(path) }
    }

    /// Makes names in a directory durable.
    static func synchronize(directoryOf path: String) throws {
        try synchronize((path as NSString).deletingLastPathComponent)
    }

    /// A directory for its owner alone.
    static func makeDirectory(_ path: String) throws(RegistryError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .storage("\(path) cannot be made: \(error.localizedDescription)")
        }
    }

    private static func write(_ data: Data, to descriptor: Int32, _ path: String) throws {
        try data.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw FileError(path) }
                written += count
            }
        }
    }
}

/// A system call on a file that failed, with the reason of `errno`.
struct FileError: Error, CustomStringConvertible {
    var path: String
    var code: Int32

    init(_ path: String, code: Int32 = errno) {
        self.path = path
        self.code = code
    }

    var description: String { "\(path): \(String(cString: strerror(code)))" }
}
