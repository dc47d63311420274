import Dispatch
import Glibc
import Sandbox

/// Passes the signals that are meant for the command on to it.
struct SignalRelay {
    private let sources: [any DispatchSourceSignal]

    init(to sandbox: StartedSandbox) {
        sources = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                var byte = UInt8(number)
                _ = write(sandbox.leash.number, &byte, 1)
                // The caller's terminal is gone: a command that does not mind must not stay behind.
                if number == SIGHUP {
                    DispatchQueue.global().asyncAfter(deadline: .now() + 5) { sandbox.process.signal(SIGKILL) }
                }
            }
            source.resume()
            return source
        }
    }

    func stop() { sources.forEach { $0.cancel() } }

    /// Calls the handler whenever the caller's terminal changes its size.
    static func onResize(_ handler: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
        let source = DispatchSource.makeSignalSource(signal: SIGWINCH, queue: .global())
        source.setEventHandler(handler: handler)
        source.resume()
        return source
    }
}
