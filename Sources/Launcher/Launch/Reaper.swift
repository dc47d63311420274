import CLinux
import Glibc
import Sandbox
import Synchronization
import WorkerControl

/// Waits for the children that run sessions, so that none stays a zombie. One thread, which sleeps in poll(2) on their
/// pidfds; a process that another thread waits for is left to it until it is adopted.
final class Reaper: Sendable {
    private let children = Mutex<[ChildProcess]>([])
    private let wake: (read: OwnedDescriptor, write: OwnedDescriptor)

    init() throws(LaunchFailure) {
        do { wake = try DescriptorMessages.pipe() } catch {
            throw LaunchFailure(
                step: "start", errno: error.errno, message: "\(error)", remedy: "raise the open files limit")
        }
        for end in [wake.read, wake.write] { _ = fcntl(end.number, F_SETFL, O_NONBLOCK) }
    }

    /// Reaps the child when it ends.
    func adopt(_ child: ChildProcess) {
        children.withLock { $0.append(child) }
        var byte: UInt8 = 0
        // A full pipe wakes the thread as well as one more byte would.
        _ = write(wake.write.number, &byte, 1)
    }

    /// Never returns: the body of the reaper's thread.
    func run() -> Never {
        while true {
            let watched = children.withLock { $0 }
            var polled = watched.map { pollfd(fd: $0.pidfd.number, events: Int16(POLLIN), revents: 0) }
            polled.append(pollfd(fd: wake.read.number, events: Int16(POLLIN), revents: 0))
            guard poll(&polled, nfds_t(polled.count), -1) > 0 else { continue }
            if polled[watched.count].revents != 0 {
                var buffer = [UInt8](repeating: 0, count: 64)
                while read(wake.read.number, &buffer, buffer.count) > 0 {}
            }
            let ended = Set(zip(watched, polled).filter { $1.revents != 0 }.map(\.0.pid))
            if ended.isEmpty { continue }
            let gone = children.withLock { children in
                let gone = children.filter { ended.contains($0.pid) }
                children.removeAll { ended.contains($0.pid) }
                return gone
            }
            for child in gone { _ = try? child.exitIfEnded() }
        }
    }
}
