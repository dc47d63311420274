import CLinux
import Foundation
import Glibc
import WorkerControl

extension HomeDirectory {
    /// Puts a piece of an uploaded file where the one before it ended.
    func write(_ part: UploadPart) throws(SystemCallError) {
        let folder = "uploads/\(part.upload)"
        if part.offset == 0 { try makeDirectory(folder) }
        let directory = try open(folder, RK_O_PATH | O_DIRECTORY)
        defer { close(directory) }
        let flags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        let file = openat(directory, part.name, part.offset == 0 ? flags | O_CREAT | O_EXCL : flags, 0o600)
        guard file >= 0 else { throw SystemCallError("creating \(part.path)", errno) }
        defer { close(file) }
        var about = stat()
        // The session may have put something else there.
        guard fstat(file, &about) == 0, about.st_mode & S_IFMT == S_IFREG, Int(about.st_size) == part.offset else {
            throw SystemCallError("\(part.path) is not as it was left", errno: EINVAL)
        }
        var written = 0
        while written < part.data.count {
            let count = part.data.withUnsafeBytes { bytes in
                pwrite(
                    file, bytes.baseAddress.map { $0 + written }, bytes.count - written, off_t(part.offset + written))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemCallError("writing \(part.path)", errno) }
            written += count
        }
    }
}
