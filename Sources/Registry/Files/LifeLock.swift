import Foundation
import Glibc

/// A file locked for as long as its holder lives. The kernel drops the lock with the process: one that is killed leaves
/// none behind.
public final class LifeLock: Sendable {
    private let descriptor: Int32
    /// Half a second in all.
    private static let attempts = 25

    public enum Failure: Error, Sendable, Hashable {
        /// Somebody else has it; its pid as it wrote it into the file.
        case held(pid: Int32?)
        /// The file cannot be used; why.
        case unusable(String)
    }

    public init(path: String) throws(Failure) {
        // Close-on-exec: a child that inherited the descriptor would hold the lock after us.
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .unusable("\(path): \(String(cString: strerror(errno)))") }
        // A process that was killed, or a child of it on the way to its exec, lets go a moment after it is gone.
        var reason = EWOULDBLOCK
        for attempt in 0..<Self.attempts where reason == EWOULDBLOCK {
            if attempt > 0 { usleep(20_000) }
            reason = flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? 0 : errno
        }
        guard reason == 0 else {
            let holder = Self.holder(descriptor)
            close(descriptor)
            throw reason == EWOULDBLOCK
                ? .held(pid: holder) : .unusable("\(path): \(String(cString: strerror(reason)))")
        }
        // For people alone: it is the lock that counts.
        let own = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, own, own.count, 0)
        self.descriptor = descriptor
    }

    private static func holder(_ descriptor: Int32) -> Int32? {
        var text = [UInt8](repeating: 0, count: 16)
        let count = max(0, pread(descriptor, &text, text.count, 0))
        return Int32(
            String(decoding: text.prefix(count), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }

    deinit { close(descriptor) }
}
