import Dispatch
import Foundation

/// What happens at this end: keys, a new size, a signal to stop.
enum LocalEvent: Sendable {
    case typed([UInt8])
    /// Standard input has ended.
    case hungUp
    case resized
    case stopped(signal: Int32)
}

/// Watches the terminal and the signals until it goes away.
final class LocalEvents {
    private var sources: [any DispatchSourceSignal] = []

    init(_ receive: @escaping @Sendable (LocalEvent) -> Void) {
        for number in [SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { receive(number == SIGWINCH ? .resized : .stopped(signal: number)) }
            source.resume()
            sources.append(source)
        }
        // A thread, because a terminal made non-blocking for an event loop would be so for the shell too. It ends with
        // the process.
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 16 * 1024)
            while true {
                let count = read(STDIN_FILENO, &buffer, buffer.count)
                if count > 0 {
                    receive(.typed(Array(buffer[..<count])))
                } else if count == 0 || errno != EINTR {
                    return receive(.hungUp)
                }
            }
        }
    }

    deinit { for source in sources { source.cancel() } }
}
