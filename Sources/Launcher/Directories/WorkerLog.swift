import Glibc
import Sandbox
import WorkerControl

/// What a worker writes to standard error: `worker.log` in the session's directory.
enum WorkerLog {
    static let name = "worker.log"
    /// A log above this starts anew with the next incarnation.
    static let largest: Int64 = 1 << 20

    static func open(in session: Directory, uid: UInt32, gid: UInt32) throws(LaunchFailure) -> OwnedDescriptor {
        do throws(SystemError) {
            // O_NONBLOCK: not to wait for a reader where something put a FIFO.
            let log = try session.open(name, flags: O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, mode: 0o600)
            var status = stat()
            guard fstat(log.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                throw SystemError(call: "\(session.path)/\(name) is not a file", errno: EEXIST)
            }
            if status.st_size > largest { ftruncate(log.number, 0) }
            if status.st_uid != uid { fchown(log.number, uid, gid) }
            return log
        } catch {
            throw LaunchFailure(
                step: "worker log", errno: error.errno, message: "\(error)",
                remedy: "remove \(session.path)/\(name), or free space on its disk")
        }
    }

    /// The last lines, for a failure's message.
    static func tail(in session: Directory) -> String {
        guard let log = try? session.open(name, flags: O_RDONLY | O_NONBLOCK) else { return "" }
        let size = lseek(log.number, 0, SEEK_END)
        var buffer = [UInt8](repeating: 0, count: 600)
        let count = pread(log.number, &buffer, buffer.count, max(0, size - buffer.count))
        let text = String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
        return text.split(separator: "\n").suffix(3).joined(separator: " | ")
    }
}
