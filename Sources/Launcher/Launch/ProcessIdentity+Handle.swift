import CLinux
import Glibc
import Sandbox
import WorkerControl

extension ProcessIdentity {
    /// A pidfd of the process if it is still the same one.
    func open() -> OwnedDescriptor? {
        let number = rk_pidfd_open(pid)
        guard number >= 0 else { return nil }
        let descriptor = OwnedDescriptor(owning: number)
        // In this order: once the pidfd is open the pid cannot change hands unnoticed.
        return exists ? descriptor : nil
    }

    /// True while it runs; a zombie does not.
    var runs: Bool {
        guard let descriptor = open() else { return false }
        return withExtendedLifetime(descriptor) { rk_wait_readable(descriptor.number, 0) == 0 }
    }

    /// Kills it and waits for its end; false when it has not ended after `milliseconds`.
    func kill(within milliseconds: Int32) -> Bool {
        guard let descriptor = open() else { return true }
        return withExtendedLifetime(descriptor) {
            _ = rk_pidfd_send_signal(descriptor.number, SIGKILL)
            return rk_wait_readable(descriptor.number, milliseconds) == 1
        }
    }
}
