import Glibc
import Sandbox
import WorkerControl

/// Held by the launcher that serves a runtime directory. One whose supervisor was killed finishes what it has begun before
/// it ends; the next one waits for that, or both would make the same session's directories and cgroup.
struct LauncherLock: Sendable {
    private let file: OwnedDescriptor

    /// How long to wait for the launcher before.
    private static let patience = Duration.seconds(60)

    /// - Parameter control: when it closes, nobody waits for this launcher any more.
    init(in records: Directory, control: OwnedDescriptor) throws(LaunchFailure) {
        do throws(SystemError) { file = try records.open("lock", flags: O_RDWR | O_CREAT, mode: 0o600) } catch {
            throw LaunchFailure(
                step: "launcher lock", errno: error.errno, message: "\(error)",
                remedy: "see who owns \(records.path)")
        }
        let deadline = ContinuousClock.now + Self.patience
        while flock(file.number, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR, ContinuousClock.now < deadline else {
                throw LaunchFailure(
                    step: "launcher lock", errno: errno,
                    message: "another launcher serves \(records.path) and does not end",
                    remedy: "stop its supervisor, or the launcher itself")
            }
            var end = pollfd(fd: control.number, events: 0, revents: 0)
            if poll(&end, 1, 50) > 0, end.revents & Int16(POLLHUP) != 0 {
                throw LaunchFailure(
                    step: "launcher lock", errno: ECANCELED, message: "the supervisor has gone meanwhile", remedy: "")
            }
        }
    }
}
