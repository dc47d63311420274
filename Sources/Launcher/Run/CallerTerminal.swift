import CLinux
import Foundation
import Glibc
import Sandbox
import WorkerControl

/// The terminal that the caller sits at: input and output are one. It is made raw, so that the terminal inside does the
/// line's work, and restored.
struct CallerTerminal {
    /// Columns and rows.
    let size: (UInt16, UInt16)
    private let settings: termios

    /// nil when standard input or output is something else.
    static func current() -> CallerTerminal? {
        var settings = termios()
        var (columns, rows): (UInt16, UInt16) = (80, 24)
        guard isatty(0) == 1, isatty(1) == 1, tcgetattr(0, &settings) == 0 else { return nil }
        _ = rk_terminal_size(0, &columns, &rows)
        // A terminal that nobody gave a size says 0 by 0.
        return CallerTerminal(size: columns == 0 || rows == 0 ? (80, 24) : (columns, rows), settings: settings)
    }

    /// Passes bytes both ways until the sandbox has ended and its last output is out.
    func relay(_ sandbox: StartedSandbox) throws(LaunchFailure) {
        // As long as a slave is open here, the master cannot hang up before the end.
        let peer = rk_terminal_peer(sandbox.terminal.number)
        guard peer >= 0 else {
            throw LaunchFailure(
                step: "terminal", errno: -peer, message: "cannot open the sandbox's terminal",
                remedy: "see the limit of open files")
        }
        var raw = settings
        cfmakeraw(&raw)
        tcsetattr(0, TCSANOW, &raw)
        defer {
            var settings = settings
            tcsetattr(0, TCSADRAIN, &settings)
        }
        let resizes = SignalRelay.onResize {
            var (columns, rows): (UInt16, UInt16) = (0, 0)
            guard rk_terminal_size(0, &columns, &rows) >= 0 else { return }
            _ = rk_terminal_set_size(sandbox.terminal.number, columns, rows)
        }
        defer { resizes.cancel() }
        let output = DispatchGroup()
        output.enter()
        Thread {
            ByteCopy.run(from: sandbox.terminal.number, to: 1)
            output.leave()
        }.start()
        Thread { ByteCopy.run(from: 0, to: sandbox.terminal.number) }.start()
        _ = try? sandbox.process.waitForExit()
        close(peer)
        _ = output.wait(timeout: .now() + 5)
    }
}

/// Copies bytes until the end of the source or of the target.
enum ByteCopy {
    static func run(from source: Int32, to target: Int32) {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(source, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0, write(buffer[..<count], to: target) else { return }
        }
    }

    private static func write(_ bytes: ArraySlice<UInt8>, to target: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(target, $0.baseAddress, $0.count) }
            if count < 0, errno == EAGAIN {
                var waiting = pollfd(fd: target, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, -1)
                continue
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
