import CLinux
import Glibc
import NIOCore

/// Has a worker that is busy with a flood of output wait for everybody else's, so that no neighbour's keys wait for it.
/// It costs nothing while processors are free.
///
/// What decides between workers is the weight of the group that the scheduler puts each session of processes in
/// (sched(7), autogroup) or, where they share a control group, their own nice value: both are changed.
final class GivingWay {
    /// Of the time of one processor in a look: what makes a worker give way, and below what it does no more.
    private static let busyFrom = 0.5
    private static let calmBelow = 0.25
    /// Below this nobody need look.
    private static let quietBelow = 0.02
    private static let period = TimeAmount.milliseconds(250)

    private let loop: any EventLoop
    private let group: Int32
    private var isWatched = false
    private var givesWay = false
    private var last = (used: UInt64(0), time: NIODeadline.uptimeNanoseconds(0))

    /// - Parameter group: `/proc/self/autogroup`, open for writing; -1: there is none. A confined worker may not open it.
    init(group: Int32, on loop: any EventLoop) {
        self.group = group
        self.loop = loop
    }

    static func openGroup() -> Int32 { open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC) }

    /// Output came. To be called on the event loop, for it is its thread that makes way.
    func worked() {
        guard !isWatched else { return }
        isWatched = true
        last = (Self.used(), .now())
        scheduleLook()
    }

    private func scheduleLook() {
        loop.assumeIsolated().scheduleTask(in: Self.period) { [weak self] () -> Void in self?.look() }
    }

    private func look() {
        let current = (used: Self.used(), time: NIODeadline.now())
        let elapsed = max((current.time - last.time).nanoseconds, 1)
        let rate = Double(current.used - min(last.used, current.used)) / Double(elapsed)
        last = current
        let should = rate >= (givesWay ? Self.calmBelow : Self.busyFrom)
        // Refused when somebody else's group has just been changed: then at the next look.
        if should != givesWay, rk_give_way(group, should ? 1 : 0) == 0 { givesWay = should }
        isWatched = givesWay || rate >= Self.quietBelow
        if isWatched { scheduleLook() }
    }

    /// Nanoseconds of processor time that this process has used.
    private static func used() -> UInt64 {
        var time = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
