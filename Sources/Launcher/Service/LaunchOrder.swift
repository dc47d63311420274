import SessionCore
import Synchronization
import WorkerControl

/// Which sessions were asked to be launched after a sweep was asked for. The supervisor's list of the living is as old as
/// its message; what it launched since is not on it, and must not be swept away. Messages are numbered by the one thread
/// that receives them.
final class LaunchOrder: Sendable {
    private struct State {
        var messages: UInt64 = 0
        var launches: [SessionID: UInt64] = [:]
    }

    private let state = Mutex(State())

    /// Takes note of a message; its number.
    func received(_ request: LauncherRequest) -> UInt64 {
        state.withLock { state in
            state.messages += 1
            switch request {
            case .launch(let launch): state.launches[launch.sessionID] = state.messages
            case .remove(let remove): state.launches[remove.sessionID] = nil
            default: break
            }
            return state.messages
        }
    }

    /// True when the session was asked for after that message.
    func isNewer(_ id: SessionID, than message: UInt64) -> Bool {
        state.withLock { ($0.launches[id] ?? 0) > message }
    }
}
