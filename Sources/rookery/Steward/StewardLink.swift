import Foundation
import Glibc
import Supervisor
import Synchronization

/// The supervisor's end of what it says to its steward.
final class StewardLink: Sendable {
    private let descriptor: Int32
    private let waiting = Mutex<CheckedContinuation<StewardMessage?, Never>?>(nil)

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// How long a supervisor that makes way may take, in milliseconds. More than the steward gives it.
    private static let patience: Int32 = 60_000

    /// Says that all is prepared, and returns when this is the only supervisor.
    func awaitTurn() throws(ConfigurationError) {
        StewardMessage.prepared.send(over: descriptor)
        let deadline = ContinuousClock.now + .milliseconds(Int(Self.patience))
        while ContinuousClock.now < deadline {
            switch StewardMessage.receive(from: descriptor, within: 1000) {
            case .message(.go): return
            case .message, .nothing: continue
            case .closed: throw ConfigurationError("the steward has gone before this supervisor's turn came")
            }
        }
        throw ConfigurationError("the supervisor before does not make way")
    }

    func sayUp() { StewardMessage.up.send(over: descriptor) }

    /// Reads what the steward says, on a thread of its own.
    /// - Parameter onEnd: called when the steward has gone: nobody holds the listening sockets for a next one then.
    func listen(onEnd: @escaping @Sendable () -> Void) {
        let thread = Thread { [self] in
            while true {
                switch StewardMessage.receive(from: descriptor, within: -1) {
                case .message(let message): answer(message)
                case .nothing: continue
                case .closed:
                    answer(nil)
                    return onEnd()
                }
            }
        }
        thread.stackSize = 1 << 18
        thread.start()
    }

    private func answer(_ message: StewardMessage?) {
        let waiter = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        waiter?.resume(returning: message)
    }

    /// Asks for another process in this one's place. Returns when this one is to leave.
    func replace() async throws(SupervisorError) {
        let answer = await withCheckedContinuation { (continuation: CheckedContinuation<StewardMessage?, Never>) in
            let isFirst = waiting.withLock { waiting in
                guard waiting == nil else { return false }
                waiting = continuation
                return true
            }
            guard isFirst else { return continuation.resume(returning: .refused("an upgrade is under way already")) }
            if !StewardMessage.replace.send(over: descriptor) { self.answer(nil) }
        }
        switch answer {
        case .leave: return
        case .refused(let reason): throw SupervisorError(.wrongState, "not upgraded: \(reason)")
        default: throw SupervisorError(.unavailable, "not upgraded: the steward has gone")
        }
    }
}
