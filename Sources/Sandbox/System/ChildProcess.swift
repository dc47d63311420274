import CLinux
import Glibc

/// A child of this process, held by its pidfd: it can be signalled and waited for without a race on its number.
public struct ChildProcess: Sendable {
    public let pid: Int32
    /// Readable when the process has ended; closes on exec.
    public let pidfd: OwnedDescriptor

    public init(pid: Int32, pidfd: OwnedDescriptor) {
        self.pid = pid
        self.pidfd = pidfd
    }

    /// How a process ended.
    public enum Exit: Sendable, Hashable {
        case code(Int32)
        case signal(Int32)
    }

    /// Sends a signal; false when the process is gone already.
    @discardableResult
    public func signal(_ number: Int32) -> Bool { rk_pidfd_send_signal(pidfd.number, number) == 0 }

    /// Reaps the process if it has ended; nil while it runs.
    public func exitIfEnded() throws(SystemError) -> Exit? { try wait(block: false) }

    /// Waits for the end and reaps. Blocks the calling thread.
    public func waitForExit() throws(SystemError) -> Exit {
        while true {
            if let exit = try wait(block: true) { return exit }
        }
    }

    /// Waits at most `milliseconds` for the end and reaps; nil when it runs still. Blocks the calling thread.
    public func waitForExit(milliseconds: Int32) throws(SystemError) -> Exit? {
        try SystemError.check("poll", rk_wait_readable(pidfd.number, milliseconds))
        return try wait(block: false)
    }

    /// Kills the process and reaps it.
    public func kill() {
        signal(SIGKILL)
        _ = try? waitForExit()
    }

    private func wait(block: Bool) throws(SystemError) -> Exit? {
        var exit = rk_exit()
        guard try SystemError.check("waitid", rk_pidfd_wait(pidfd.number, block ? 1 : 0, &exit)) == 1 else {
            return nil
        }
        return exit.code == CLD_EXITED ? .code(exit.status) : .signal(exit.status)
    }
}
