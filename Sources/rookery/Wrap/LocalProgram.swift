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

        do {
            process = try ProgramSpawn.start(arguments, flags: ProgramSpawn.newSession) { actions in
                // A session's leader takes the first terminal that it opens as its own.
                posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, name, O_RDWR, 0)
                posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO)
                posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO)
            }
        } catch {
            close(terminal)
            throw error
        }
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
            ended(ProgramSpawn.wait(for: process))
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
