import Dispatch
import Foundation
import Sandbox
import Synchronization

/// Has greedy sessions give way to modest ones, and restrains those for whom that is not enough, four times a second, on a
/// thread of its own until it is stopped.
final class Fairness: Sendable {
    private static let period = 0.25
    private let parent: CgroupParent
    private let disks: Directory?
    private let records: Directory
    private let time: ProcessorTime
    private let isStopped = Atomic(false)

    /// - Parameters:
    ///   - disks: where sessions' images are; nil where they have none.
    ///   - records: where the launcher keeps notes for its successor.
    init(_ parent: CgroupParent, disks: Directory?, records: Directory) {
        self.parent = parent
        self.disks = disks
        self.records = records
        time = ProcessorTime(parent)
    }

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
        var holders = KernelHolders()
        var restraint = Restraint(parent, disks: disks, records: records)
        while !isStopped.load(ordering: .relaxed) {
            let (used, now) = (time.used(), DispatchTime.now().uptimeNanoseconds)
            let changes = sessions.sample(used.mapValues(\.total), at: now)
            for name in changes.from { time.set(name, givesWay: false) }
            for name in changes.to { time.set(name, givesWay: true) }
            if hadGreedy != !sessions.giveWay.isEmpty {
                hadGreedy.toggle()
                // Who serves them all, and answers their keys, comes before them too.
                time.setAll(giveWay: hadGreedy)
            }
            restraint.apply(holders.sample(used, at: now))
            Thread.sleep(forTimeInterval: Self.period)
        }
        restraint.apply(KernelHolders.Verdict())
    }
}
