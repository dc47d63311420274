import CLinux
import Foundation
import Glibc

/// A supervisor that the steward started.
struct StewardChild {
    let pid: pid_t
    /// Our end of the socket pair.
    let control: Int32
    /// The program that it runs, as it was when it was started: what is at its path may be replaced.
    let program: Int32
    private let pidfd: Int32

    /// - Parameter path: the program, or `/proc/self/fd/N`.
    init(
        path: String, arguments: [String], environment: [String: String], sockets: [ListeningSocket],
        inheritance: (Int32) -> Inheritance
    ) throws(ConfigurationError) {
        program = open(path, O_RDONLY | O_CLOEXEC)
        guard program >= 0 else { throw ConfigurationError("\(path): \(String(cString: strerror(errno)))") }
        var pair: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &pair) == 0 else {
            close(program)
            throw ConfigurationError("no socket pair for the supervisor: \(String(cString: strerror(errno)))")
        }
        defer { close(pair[1]) }
        control = pair[0]
        var environment = environment
        let encoded = (try? JSONEncoder().encode(inheritance(pair[1]))) ?? Data()
        environment[Inheritance.variable] = String(decoding: encoded, as: UTF8.self)
        do throws(ConfigurationError) {
            pid = try Self.spawn(
                path, arguments, environment, passing: [pair[1]] + sockets.map(\.descriptor), output: nil)
        } catch {
            close(program)
            close(control)
            throw error
        }
        pidfd = rk_pidfd_open(pid)
    }

    enum Event: Equatable {
        case said(StewardMessage)
        /// wait(2)'s status.
        case ended(Int32)
        /// Neither, for that long; or a signal came.
        case nothing
    }

    /// - Parameter milliseconds: -1 waits for ever.
    func next(within milliseconds: Int32) -> Event {
        var watched = [
            pollfd(fd: control, events: Int16(POLLIN), revents: 0),
            pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&watched, 2, milliseconds) > 0 else { return .nothing }
        if watched[0].revents & Int16(POLLIN) != 0,
            case .message(let message) = StewardMessage.receive(from: control, within: 0)
        {
            return .said(message)
        }
        guard watched[1].revents != 0 else {
            // Closed, and not ended yet: soon.
            usleep(20_000)
            return .nothing
        }
        return .ended(wait())
    }

    private func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status
    }

    /// Waits for its end, and makes it end where it takes too long.
    func end(within milliseconds: Int32) {
        let deadline = ContinuousClock.now + .milliseconds(Int(milliseconds))
        while ContinuousClock.now < deadline {
            if case .ended = next(within: 100) { return release() }
        }
        kill(pid, SIGKILL)
        _ = wait()
        release()
    }

    /// Once it has ended.
    func release() { for descriptor in [control, pidfd, program] where descriptor >= 0 { close(descriptor) } }

    /// Starts a program with descriptors that keep their numbers.
    /// - Parameter output: where it writes; nil: where we do.
    static func spawn(
        _ path: String, _ arguments: [String], _ environment: [String: String], passing: [Int32], output: Int32?
    ) throws(ConfigurationError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Onto itself: stays open there, and is close-on-exec here.
        for descriptor in passing { posix_spawn_file_actions_adddup2(&actions, descriptor, descriptor) }
        if let output {
            for standard: Int32 in [1, 2] { posix_spawn_file_actions_adddup2(&actions, output, standard) }
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own, and signals as they come to a new program: those of a terminal are passed on.
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGDEF))
        posix_spawnattr_setpgroup(&attributes, 0)
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for signal in Steward.forwarded { sigaddset(&defaults, signal) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        let argv = arguments.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (argv + variables).forEach { free($0) } }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, path, &actions, &attributes, argv, variables)
        guard result == 0 else {
            throw ConfigurationError("\(path) did not start: \(String(cString: strerror(result)))")
        }
        return pid
    }
}
