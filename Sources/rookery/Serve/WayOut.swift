import Synchronization

/// How a supervisor ends that another one replaces: as on SIGTERM, and no session with it.
final class WayOut: Sendable {
    private struct State {
        var isTaken = false
        var shutDown: (@Sendable () async -> Void)?
    }

    private let state = Mutex(State())

    var isTaken: Bool { state.withLock { $0.isTaken } }

    func open(_ shutDown: @escaping @Sendable () async -> Void) {
        let isLate = state.withLock { state in
            state.shutDown = shutDown
            return state.isTaken
        }
        if isLate { Task { await shutDown() } }
    }

    /// In a moment: whoever asked for it is to get an answer first.
    func leave() {
        let shutDown = state.withLock { state in
            state.isTaken = true
            return state.shutDown
        }
        guard let shutDown else { return }
        Task {
            try? await Task.sleep(for: .milliseconds(100))
            await shutDown()
        }
    }
}
