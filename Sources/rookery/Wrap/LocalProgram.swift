import CLinux
import Foundation
import SessionCore

/// A program on a terminal of its own, on this machine.
final class LocalProgram: Sendable {
    let process: pid_t
    /// Its terminal's other side.
    private let terminal: Int32

    /// - Throws: ``Failure/refused(_:)`` with what could not be done.
    init(_ arguments: [String], size: TerminalSize) throws(Failure) {
        func failure(_ what: String, _ error: Int32) -> Failure {
            .refused("\(what): \(String(cString: strerror(error)))")
        }
        terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { throw failure("no terminal can be made", errno) }
        // TIOCSPTLCK and TIOCGPTN of <asm-generic/ioctls.h>, which Swift does not see: unlock it, and which one is it?
        var (unlocked, number): (Int32, UInt32) = (0, 0)
        guard ioctl(terminal, 0x4004_5431, &unlocked) == 0, ioctl(terminal, 0x8004_5430, &number) == 0 else {
            let error = errno
            close(terminal)
            throw failure("no terminal can be made", error)
        }
        let name = "/dev/pts/\(number)"
        rk_terminal_set_size(terminal, UInt16(size.cols), UInt16(size.rows))

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // A session's leader takes the first terminal that it opens as its own.
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, name, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // What this program ignores, that one must not.
        var standard = sigset_t()
        sigfillset(&standard)
        posix_spawnattr_setsigdefault(&attributes, &standard)
        var blocked = sigset_t()
        sigemptyset(&blocked)
        posix_spawnattr_setsigmask(&attributes, &blocked)
        let newSession: Int16 = 0x80  // POSIX_SPAWN_SETSID, which Glibc's module hides
        posix_spawnattr_setflags(
            &attributes, newSession | Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let error = posix_spawnp(&child, arguments[0], &actions, &attributes, &words, environ)
        guard error == 0 else {
            close(terminal)
            throw failure("'\(arguments[0])' cannot be started", error)
        }
        process = child
    }

    /// Reads what the program shows, on a thread of its own, until it has ended.
    /// - Parameter ended: its exit code, or 128 and the signal's number.
    func read(_ receive: @escaping @Sendable ([UInt8]) -> Void, ended: @escaping @Sendable (Int32) -> Void) {
        Thread.detachNewThread { [terminal, process] in
            var buffer = [UInt8](repeating: 0, count: 64 * 1024)
            while true {
                let count = Foundation.read(terminal, &buffer, buffer.count)
                if count > 0 {
                    receive(Array(buffer[..<count]))
                } else if count == 0 || errno != EINTR {
                    break
                }
            }
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            ended(status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F)
        }
    }

    /// Types all of it; a program that does not read holds up whoever types, as a terminal does.
    func type(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(terminal, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
        }
    }

    func resize(_ size: TerminalSize) { rk_terminal_set_size(terminal, UInt16(size.cols), UInt16(size.rows)) }

    func signal(_ number: Int32) { kill(process, number) }
}
