import Foundation
import Glibc

/// posix_spawn_file_actions_addclosefrom_np(3), a GNU extension that the Glibc module does not show.
@_silgen_name("posix_spawn_file_actions_addclosefrom_np")
@discardableResult
private func closeFrom(_ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>, _ first: Int32) -> Int32

/// A process started by a test, with exactly the descriptors it is given.
final class ChildProcess: Sendable {
    let pid: pid_t

    /// - Parameters:
    ///   - descriptors: number in the child → descriptor here. Everything else closes on exec.
    ///   - terminal: path of a terminal that becomes standard input, output, error and the controlling terminal.
    ///   - leads: whether it leads a session of processes, as one with a terminal does.
    init(
        _ arguments: [String], environment: [String: String] = [:], descriptors: [Int32: Int32] = [:],
        terminal: String? = nil, leads: Bool = false
    ) throws {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        var flags = Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        if leads || terminal != nil { flags |= 0x80 }  // POSIX_SPAWN_SETSID, a GNU extension
        if let terminal {
            // The first terminal that a session leader opens becomes its controlling terminal.
            posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
            posix_spawn_file_actions_adddup2(&actions, 0, 1)
            posix_spawn_file_actions_adddup2(&actions, 0, 2)
        }
        posix_spawnattr_setflags(&attributes, flags)
        // Far from the targets, so that no dup2 overwrites a source.
        let moved = descriptors.mapValues { fcntl($0, F_DUPFD_CLOEXEC, 200) }
        defer { for descriptor in moved.values { close(descriptor) } }
        for (target, source) in moved { posix_spawn_file_actions_adddup2(&actions, source, target) }
        // NIO's sockets do not close on exec: a copy in another test's child would keep a connection open.
        closeFrom(&actions, max(2, descriptors.keys.max() ?? 2) + 1)
        var environment = environment
        environment["PATH"] = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        environment["TERM"] = environment["TERM"] ?? "xterm-256color"
        let argv = arguments.map { strdup($0) } + [nil]
        let envp = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid: pid_t = 0
        let failure = posix_spawnp(&pid, arguments[0], &actions, &attributes, argv, envp)
        guard failure == 0 else { throw TimedOut(description: "spawn \(arguments[0]): \(failure)") }
        self.pid = pid
    }

    /// Waits for the end and reaps; the wait status as in wait(2).
    func wait() async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [pid] in
                var status: Int32 = 0
                while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
                continuation.resume(returning: status)
            }
        }
    }

    func kill(_ signal: Int32 = SIGKILL) { _ = Glibc.kill(pid, signal) }
}
