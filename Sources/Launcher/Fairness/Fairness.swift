import Dispatch
import Foundation
import Sandbox
import Synchronization

/// Has greedy sessions give way to modest ones, four times a second, on a thread of its own until it is stopped.
final class Fairness: Sendable {
    private static let period = 0.25
    private let time: ProcessorTime
    private let isStopped = Atomic(false)

    init(_ parent: CgroupParent) { time = ProcessorTime(parent) }

    func start() {
        let thread = Thread { [self] in run() }
        thread.stackSize = 256 << 10
        thread.start()
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    private func run() {
        // What a launcher before this one told them to is not known: each is told once.
        for name in time.used().keys { time.set(name, givesWay: false) }
        time.setAll(giveWay: false)
        var sessions = GreedySessions()
        var hadGreedy = false
        while !isStopped.load(ordering: .relaxed) {
            let changes = sessions.sample(time.used(), at: DispatchTime.now().uptimeNanoseconds)
            for name in changes.from { time.set(name, givesWay: false) }
            for name in changes.to { time.set(name, givesWay: true) }
            if hadGreedy != !sessions.giveWay.isEmpty {
                hadGreedy.toggle()
                // Who serves them all, and answers their keys, comes before them too.
                time.setAll(giveWay: hadGreedy)
            }
            Thread.sleep(forTimeInterval: Self.period)
        }
    }
}
