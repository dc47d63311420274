/// Lets one operation on a session run at a time, in the order they came.
///
/// The supervisor is an actor, and an actor is re-entrant: at every `await` inside "start this session" another
/// call may run. Two of them on the same session would start it twice, or clean away what the other just made.
/// Belongs to the supervisor's actor; that is what makes the plain variables safe.
final class OperationLock {
    private var held = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Takes a lock that nobody has.
    func take() {
        precondition(!held, "the lock is held")
        held = true
    }

    func acquire(isolation: isolated (any Actor)? = #isolation) async {
        guard held else {
            held = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    /// Hands the lock to the one that waits longest.
    func release() {
        if waiting.isEmpty { held = false } else { waiting.removeFirst().resume() }
    }

    var isFree: Bool { !held }
}
