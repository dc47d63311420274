import Dispatch
import Glibc
import NIOCore
import SessionCore

/// Says when the sandbox is gone, by its pidfd. (The event loop cannot watch one: it would read from it.)
final class SandboxWatch {
    private let source: any DispatchSourceRead

    init(pidfd: Int32, on loop: any EventLoop, onEnd: @escaping () -> Void) {
        let bound = NIOLoopBound(onEnd, eventLoop: loop)
        let source = DispatchSource.makeReadSource(fileDescriptor: pidfd, queue: .global())
        source.setEventHandler {
            // A pidfd stays readable; once is enough.
            source.cancel()
            loop.execute { bound.value() }
        }
        self.source = source
        source.activate()
    }
}

/// What rookery-init writes on the status pipe: `code <n>` or `signal <n>`.
enum CommandStatus {
    /// Reads what the pipe holds now, without waiting. nil when the sandbox was killed before it could say.
    static func read(from pipe: Int32) -> ExitStatus? {
        _ = fcntl(pipe, F_SETFL, fcntl(pipe, F_GETFL) | O_NONBLOCK)
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = Glibc.read(pipe, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return parse(String(decoding: bytes[..<count], as: UTF8.self))
    }

    /// The last line that says something counts.
    static func parse(_ text: String) -> ExitStatus? {
        var status: ExitStatus?
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, let number = Int32(words[1]) else { continue }
            switch words[0] {
            case "code": status = ExitStatus(code: number, signal: nil)
            case "signal": status = ExitStatus(code: nil, signal: number)
            default: break
            }
        }
        return status
    }
}
