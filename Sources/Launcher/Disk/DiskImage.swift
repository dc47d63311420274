import CLinux
import Glibc
import Policy
import Sandbox
import SessionCore
import WorkerControl

/// The ext4 image that holds a session's own files, so that they have a ceiling: `<state>/disks/<id>.img`, sparse.
///
/// It lies apart from the session's directory because the kernel reads its structures as root: nobody but root may
/// write it, nor put another in its place.
struct DiskImage {
    let file: OwnedDescriptor
    let name: String
    private let directory: Directory

    private static let suffix = ".img"

    static func name(_ id: SessionID) -> String { "\(id)\(suffix)" }

    /// Whose image a file is; nil for another file.
    static func session(of name: String) -> SessionID? {
        name.hasSuffix(suffix) ? SessionID(parsing: name.dropLast(suffix.count)) : nil
    }

    /// The session's image; nil when it has none.
    static func open(_ id: SessionID, in directory: Directory) throws(LaunchFailure) -> DiskImage? {
        let name = name(id)
        do throws(SystemError) {
            let file = try directory.open(name, flags: O_RDWR | O_NONBLOCK)
            var status = stat()
            guard fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 1,
                status.st_uid == geteuid(), status.st_mode & 0o077 == 0
            else {
                throw SystemError(call: "\(directory.path)/\(name) is not an image of the launcher's", errno: EPERM)
            }
            return DiskImage(file: file, name: name, directory: directory)
        } catch {
            if error.errno == ENOENT { return nil }
            throw failure("disk", error, "see who changed \(directory.path)/\(name)")
        }
    }

    /// Makes an empty one. It appears under its name when it is whole.
    static func make(
        _ id: SessionID, size: ByteSize, inodes: Int, in directory: Directory
    ) throws(LaunchFailure) -> DiskImage {
        try reserve(in: directory)
        let draft = Draft(of: id.description, in: directory)
        do throws(SystemError) {
            let file = try draft.open(flags: O_RDWR | O_TRUNC)
            guard ftruncate(file.number, off_t(size.bytes)) == 0 else {
                throw SystemError(call: "ftruncate \(draft.path)", errno: errno)
            }
            // No journal: a crash costs the last seconds and a check, not every write a second one.
            let status = try DiskTool.make.run(
                [
                    "-q", "-F", "-b", "4096", "-m", "0", "-N", "\(inodes)", "-O", "^has_journal", "-E",
                    "lazy_itable_init=1,nodiscard,root_owner=0:0",
                ], on: file)
            guard status == 0 else {
                throw SystemError(
                    call: "\(DiskTool.make.rawValue) ended with \(status) for \(size) and \(inodes) inodes",
                    errno: free(in: directory).bytes < 8 << 20 ? ENOSPC : EIO)
            }
            try draft.publish(as: name(id))
            return DiskImage(file: file, name: name(id), directory: directory)
        } catch {
            draft.remove()
            throw failure(
                "disk", error,
                error.errno == ENOSPC
                    ? "free space on the disk of \(directory.path)"
                    : "see that the policy's disk and inodes fit each other")
        }
    }

    /// Removes it, and one that was being made. Fine when there is none.
    static func remove(_ id: SessionID, in directory: Directory) throws(SystemError) {
        Draft(of: id.description, in: directory).remove()
        guard unlinkat(directory.descriptor.number, name(id), 0) == 0 || errno == ENOENT else {
            throw SystemError(call: "remove \(directory.path)/\(name(id))", errno: errno)
        }
    }

    var size: ByteSize {
        var status = stat()
        return ByteSize(bytes: fstat(file.number, &status) == 0 ? UInt64(max(status.st_size, 0)) : 0)
    }

    /// Whether the kernel unmounted it when it was last used: s_magic and s_state of the superblock.
    private var isClean: Bool {
        var bytes = [UInt8](repeating: 0, count: 4)
        guard pread(file.number, &bytes, 4, 1024 + 56) == 4 else { return false }
        return bytes[0] == 0x53 && bytes[1] == 0xef && bytes[2] & 1 == 1 && bytes[2] & 2 == 0
    }

    /// Repairs it after a crash of the machine. Not while anything has it mounted.
    func repairIfNeeded() throws(SystemError) {
        guard !isClean else { return }
        let status = try DiskTool.check.run(["-y"], on: file)
        // e2fsck(8): 1 and 2 are "errors corrected".
        guard status & ~3 == 0 else {
            throw SystemError(
                call: "\(DiskTool.check.rawValue) of \(directory.path)/\(name) ended with \(status)", errno: EIO)
        }
    }

    /// What must stay free on the disk of the state directory for a new image: a full host is an I/O error inside every
    /// session.
    private static func reserve(in directory: Directory) throws(LaunchFailure) {
        let free = free(in: directory)
        let needed = min(UInt64(256 << 20), free.total / 20)
        guard free.bytes >= needed else {
            throw LaunchFailure(
                step: "disk", errno: ENOSPC,
                message: "only \(free.bytes >> 20)MiB are free on the disk of \(directory.path)",
                remedy: "free space there: \(needed >> 20)MiB are kept for the sessions that run")
        }
    }

    private static func free(in directory: Directory) -> (bytes: UInt64, total: UInt64) {
        var status = statvfs()
        guard fstatvfs(directory.descriptor.number, &status) == 0 else { return (0, 0) }
        let block = UInt64(status.f_frsize)
        return (UInt64(status.f_bavail) * block, UInt64(status.f_blocks) * block)
    }

    static func failure(_ step: String, _ error: SystemError, _ remedy: String) -> LaunchFailure {
        LaunchFailure(step: step, errno: error.errno, message: "\(error)", remedy: remedy)
    }
}
