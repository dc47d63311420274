import Foundation

/// Held for as long as a server uses a runtime directory: another one would take its workers for leftovers and end
/// them. The kernel drops the lock with the process.
final class RuntimeLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``ConfigurationError`` while another server holds it.
    init(directory: String) throws(ConfigurationError) {
        let path = directory + "/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw ConfigurationError("\(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        // A process that was killed lets go a moment after it is gone.
        var reason = EWOULDBLOCK
        for attempt in 0..<25 where reason == EWOULDBLOCK {
            if attempt > 0 { usleep(20_000) }
            reason = flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? 0 : errno
        }
        guard reason == 0 else {
            let holder = Self.holder(descriptor)
            close(descriptor)
            throw ConfigurationError(
                "the runtime directory is locked: \(holder.map { "process \($0)" } ?? "another server") uses "
                    + "\(directory); stop it, or choose another with --runtime-dir")
        }
        // For people alone: it is the lock that counts.
        let own = Array("\(getpid())\n".utf8)
        ftruncate(descriptor, 0)
        pwrite(descriptor, own, own.count, 0)
    }

    private static func holder(_ descriptor: Int32) -> Int32? {
        var text = [UInt8](repeating: 0, count: 16)
        let count = max(0, pread(descriptor, &text, text.count, 0))
        return Int32(
            String(decoding: text.prefix(count), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }

    deinit { close(descriptor) }
}
