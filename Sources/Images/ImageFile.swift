import CLinux
import Glibc

/// An open file of the directory of images, which nobody but root and the reader can change.
public struct ImageFile: Sendable {
    public let descriptor: Int32
    /// Bytes.
    public let size: UInt64
    let path: String

    /// Opens `name` below `directory`, checking the directories on the way too.
    init(_ name: String, in directory: String) throws(ImageError) {
        path = "\(directory)/\(name)"
        let top = try Self.open(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, path: directory)
        defer { Glibc.close(top) }
        try Self.check(top, path: directory)
        let parts = name.split(separator: "/")
        if parts.count == 2 {
            let middle = try Self.open(top, String(parts[0]), O_RDONLY | O_DIRECTORY, path: "\(directory)/\(parts[0])")
            defer { Glibc.close(middle) }
            try Self.check(middle, path: "\(directory)/\(parts[0])")
        }
        let file = try Self.open(top, name, O_RDONLY | O_NONBLOCK, path: path)
        do throws(ImageError) {
            let status = try Self.check(file, path: path)
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw ImageError("\(path) is not a regular file", remedy: "remove it, and build the image again")
            }
            size = UInt64(max(status.st_size, 0))
        } catch {
            Glibc.close(file)
            throw error
        }
        descriptor = file
    }

    public func close() { _ = Glibc.close(descriptor) }

    /// Refuses a content that is not what the digest says.
    public func verify(_ digest: ImageDigest) throws(ImageError) {
        let found = try ImageDigest(of: descriptor)
        guard found == digest else {
            throw ImageError(
                "\(path) is damaged: its content is \(found)", remedy: "remove the file, and build the image again",
                errno: EBADMSG)
        }
    }

    private static func open(
        _ directory: Int32, _ name: String, _ flags: Int32, path: String
    ) throws(ImageError) -> Int32 {
        // The directory itself may be named through links: its owner is checked. What is in it may not.
        let refusals =
            directory == AT_FDCWD
            ? RK_RESOLVE_NO_MAGIC_LINKS : RK_RESOLVE_BENEATH | RK_RESOLVE_NO_SYMLINKS | RK_RESOLVE_NO_MAGIC_LINKS
        let file = rk_open(directory, name, UInt64(flags), 0, UInt64(refusals))
        guard file >= 0 else {
            throw ImageError(
                "\(path): \(String(cString: strerror(-file)))", remedy: "see who may read it", errno: -file)
        }
        return file
    }

    @discardableResult
    private static func check(_ file: Int32, path: String) throws(ImageError) -> stat {
        var status = stat()
        guard fstat(file, &status) == 0 else {
            throw ImageError("\(path): \(String(cString: strerror(errno)))", remedy: "", errno: errno)
        }
        guard status.st_uid == 0 || status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
            throw ImageError(
                "\(path) can be changed by others than root (owner \(status.st_uid), mode "
                    + "\(String(status.st_mode & 0o7777, radix: 8)))",
                remedy: "chown root '\(path)' and chmod go-w '\(path)'", errno: EPERM)
        }
        return status
    }
}
