import CLinux
import Dispatch
import Glibc
import WorkerControl

/// Says at once when a process is gone, by its pidfd: nobody else's process can be taken for it, and nothing is asked
/// again and again.
final class ProcessWatch: Sendable {
    /// Only ever cancelled, which Dispatch allows from any thread.
    private nonisolated(unsafe) let source: any DispatchSourceRead

    /// - Parameter onExit: called once, on a queue of Dispatch's; not after ``cancel()`` has returned and its queue has
    ///   run dry, so the receiver checks what it is told of.
    /// - Returns: nil when that process is not there any more, or cannot be watched: then ask ``ProcessIdentity/isAlive``.
    init?(_ process: ProcessIdentity, onExit: @escaping @Sendable () -> Void) {
        let pidfd = rk_pidfd_open(process.pid)
        guard pidfd >= 0 else { return nil }
        // In this order: once the pidfd is open, the pid cannot change hands unnoticed.
        guard process.exists else {
            close(pidfd)
            return nil
        }
        let source = DispatchSource.makeReadSource(fileDescriptor: pidfd, queue: .global())
        source.setEventHandler {
            // A pidfd stays readable; once is enough.
            source.cancel()
            onExit()
        }
        source.setCancelHandler { close(pidfd) }
        self.source = source
        source.activate()
    }

    func cancel() { source.cancel() }

    deinit { source.cancel() }
}
