import CLinux
import Foundation
import Glibc
import Launcher
import SessionCore
import WorkerControl

/// Starts the launcher that serves, and starts it again when it is killed: the supervisor gave up what it would need for
/// that. It holds the control socket open meanwhile, reads nothing from it, and says on it that there was a break.
///
/// Killed itself, it is missed by the launcher, which goes on and starts another one.
struct Guardian {
    /// The same descriptor in the launcher that it starts.
    let control: Int32
    /// What the launcher has done, where it can be known.
    let answers: AnswerNotes?

    /// - Parameter launcher: one that runs already, whose guardian was killed.
    /// - Returns: the launcher's own exit status once it has ended by itself, or the supervisor has gone.
    func run(adopting launcher: Int32?) -> Int32 {
        var pause = RestartPause()
        var adopted = launcher
        while true {
            let begin = ContinuousClock.now
            let signal: Int32
            if let pid = adopted {
                adopted = nil
                Self.waitForEnd(of: pid)
                signal = SIGKILL
                if isClosed { return 0 }
            } else {
                guard let pid = spawn(["--guarded"]) else { return 1 }
                var status: Int32 = 0
                while waitpid(pid, &status, 0) < 0 {
                    guard errno == EINTR else { return 1 }
                }
                signal = status & 0x7f
                if signal == 0 { return (status >> 8) & 0xff }
            }
            let rest = pause.rest(after: ContinuousClock.now - begin, hasAnswered: answers?.take() ?? false)
            complain("the launcher was killed; starting it again \(rest == .zero ? "at once" : "in \(rest)")")
            guard announce(signal) else { return 0 }
            usleep(UInt32(rest / .microseconds(1)))
        }
    }

    /// For the launcher: starts another guardian whenever its own is gone.
    func replaceWhenGone() {
        let first = getppid()
        let thread = Thread {
            var guardian = first
            while true {
                Self.waitForEnd(of: guardian)
                // One that this process started is its child.
                var status: Int32 = 0
                _ = waitpid(guardian, &status, WNOHANG)
                guard !isClosed else { return }
                complain("the launcher's guardian was killed; starting another")
                guard let next = spawn(["--adopt", "\(getpid())"]) else { return }
                guardian = next
                sleep(1)
            }
        }
        thread.stackSize = 1 << 18
        thread.start()
    }

    /// Returns when that process has ended, whoever's child it is.
    private static func waitForEnd(of pid: Int32) {
        let pidfd = rk_pidfd_open(pid)
        guard pidfd >= 0 else { return }
        while rk_wait_readable(pidfd, -1) == 0 {}
        close(pidfd)
    }

    /// The supervisor has closed its end: nothing is to be served any more.
    private var isClosed: Bool {
        var end = pollfd(fd: control, events: 0, revents: 0)
        return poll(&end, 1, 0) > 0 && end.revents & Int16(POLLHUP) != 0
    }

    private func spawn(_ more: [String]) -> pid_t? {
        let own = CommandLine.arguments
        // What an earlier guardian or launcher was told beside its own arguments is not for the next.
        let base = own.prefix { $0 != "--guarded" && $0 != "--adopt" }
        let shared = answers.map { ["--answers-fd", "\($0.descriptor)"] } ?? []
        let argv = (base + more + shared).map { strdup($0) } + [nil]
        let environment = [strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), nil]
        defer { (argv + environment).forEach { free($0) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Onto itself: stays open there, and is close-on-exec here for what other threads start meanwhile.
        for descriptor in [control] + (answers.map { [$0.descriptor] } ?? []) {
            posix_spawn_file_actions_adddup2(&actions, descriptor, descriptor)
        }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, "/proc/self/exe", &actions, nil, argv, environment)
        guard result == 0 else {
            complain("\(more[0]): cannot be started: \(String(cString: strerror(result)))")
            return nil
        }
        return pid
    }

    /// Tells the supervisor that what it has asked for is not answered any more. False when it is gone itself.
    private func announce(_ signal: Int32) -> Bool {
        let failure = LaunchFailure(
            step: LauncherMessage.restartStep, errno: ECONNRESET, message: "the launcher was ended by signal \(signal)",
            remedy: "try again")
        guard
            let message = try? JSONEncoder.rookery.encode(
                LauncherReplyEnvelope(id: LauncherMessage.restart, reply: .failed(failure)))
        else { return false }
        return message.withUnsafeBytes { send(control, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) } >= 0
    }

    private func complain(_ text: String) { FileHandle.standardError.write(Data("rookery-launcher: \(text)\n".utf8)) }
}
