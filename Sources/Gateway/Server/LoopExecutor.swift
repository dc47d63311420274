import NIOCore
import Synchronization

/// Runs tasks on an event loop, where what they wait for comes in: no thread is woken in between.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    private init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// There are a few loops, for ever: jobs refer to their executor without keeping it.
    private static let executors = Mutex<[ObjectIdentifier: LoopExecutor]>([:])

    static func of(_ loop: any EventLoop) -> LoopExecutor {
        executors.withLock { executors in
            if let known = executors[ObjectIdentifier(loop)] { return known }
            let made = LoopExecutor(loop)
            executors[ObjectIdentifier(loop)] = made
            return made
        }
    }
}
