import Synchronization

/// Collects the addresses that listeners really took, until all of them listen.
final class BoundListeners: Sendable {
    private let count: Int
    private let bound = Mutex([Int: BoundListener]())
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init(count: Int) {
        self.count = count
        (stream, continuation) = AsyncStream.makeStream()
    }

    /// - Parameter index: the listener's place in the configuration.
    func add(_ listener: BoundListener, at index: Int) {
        let complete = bound.withLock { bound in
            bound[index] = listener
            return bound.count == count
        }
        if complete { continuation.finish() }
    }

    /// Returns when all listen, or when the task is cancelled.
    func complete() async { for await _ in stream {} }

    /// In the order of the configuration.
    var all: [BoundListener] { bound.withLock { bound in bound.sorted { $0.key < $1.key }.map(\.value) } }
}
