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
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw ConfigurationError(
                "the runtime directory is locked: another server uses \(directory); stop it, or choose another with "
                    + "--runtime-dir")
        }
    }

    deinit { close(descriptor) }
}
