import CLinux
import Foundation
import SessionCore

/// The terminal this program was started on.
final class LocalTerminal {
    private let saved: termios

    /// - Throws: ``Failure/usage(_:)`` when standard input or output is not a terminal.
    static func require() throws(Failure) {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
            throw .usage("attach needs a terminal; 'rookery input' and 'rookery screen' work without one")
        }
    }

    static var size: TerminalSize {
        var columns: UInt16 = 0
        var rows: UInt16 = 0
        guard rk_terminal_size(STDOUT_FILENO, &columns, &rows) >= 0, columns > 0, rows > 0 else { return .standard }
        return TerminalSize(cols: Int(columns), rows: Int(rows))
    }

    /// Passes every key on as it is typed, and prints what comes as it is.
    init() throws(Failure) {
        try Self.require()
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else {
            throw .refused("the terminal's settings cannot be read: \(String(cString: strerror(errno)))")
        }
        saved = settings
        cfmakeraw(&settings)
        guard tcsetattr(STDIN_FILENO, TCSADRAIN, &settings) == 0 else {
            throw .refused("the terminal cannot be made raw: \(String(cString: strerror(errno)))")
        }
    }

    /// Everything a full-screen program may have switched on, switched off: alternate screen, mouse, focus and paste
    /// reports, synchronized output, application keys, extended keyboard, colours, a hidden cursor.
    static let sane =
        "\u{1b}[?2026l\u{1b}[?1049l\u{1b}[?1000;1002;1003;1004;1006;2004l\u{1b}[?1l\u{1b}>\u{1b}[<u\u{1b}[>4m"
        + "\u{1b}[0m\u{1b}[?25h"

    /// As it was before. May be called twice.
    func restore() {
        // Leaving the alternate screen may have moved the cursor: go on below what is shown.
        Self.write((Self.sane + "\u{1b}[999;1H\r\n").utf8)
        var settings = saved
        tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
    }

    /// Writes all of it, waiting for a slow terminal: that is what slows the server down too.
    static func write(_ bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Foundation.write(
                    STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    var wait = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                    poll(&wait, 1, 1000)
                } else if errno != EINTR {
                    return
                }
            }
        }
    }
}
