import Foundation
import Glibc

/// Held for as long as a supervisor uses a state directory: two of them would start sessions twice. The kernel
/// drops the lock with the process, so a killed supervisor leaves none behind.
final class RegistryLock: Sendable {
    private let descriptor: Int32
    /// Half a second in all.
    private static let attempts = 25

    /// - Throws: ``RegistryError/locked(path:pid:)`` or ``RegistryError/storage(_:)``.
    init(path: String) throws(RegistryError) {
        // Close-on-exec: a child that inherited the descriptor would hold the lock after us.
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .storage("\(path): \(String(cString: strerror(errno)))")
        }
        // A process that was killed, or a child of it on the way to its exec, lets go a moment after it is gone.
        var reason = EWOULDBLOCK
        for attempt in 0..<Self.attempts where reason == EWOULDBLOCK {
            if attempt > 0 { usleep(20_000) }
            reason = flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? 0 : errno
        }
        guard reason == 0 else {
            var text = [UInt8](repeating: 0, count: 16)
            let count = max(0, pread(descriptor, &text, text.count, 0))
            close(descriptor)
            guard reason == EWOULDBLOCK else { throw .storage("\(path): \(String(cString: strerror(reason)))") }
            let holder = String(decoding: text.prefix(count), as: UTF8.self)
            throw .locked(path: path, pid: Int32(holder.trimmingCharacters(in: .whitespacesAndNewlines)))
        }
        let holder = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, holder, holder.count, 0)
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }
}
