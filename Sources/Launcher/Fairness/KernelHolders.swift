import Sandbox

/// Tells sessions that keep processors in the kernel, by what each used lately: fillers of disks and of memory, bombs of
/// processes.
///
/// Giving way is not enough for those. A kernel that does not preempt itself lets a system call run to its end or to the
/// next tick, and what a disk filler has written is written out by the kernel's own threads, which give way to nobody.
struct KernelHolders {
    /// Processors that its system calls used on average over a second or two, from which on a session is one, and below
    /// which no more.
    static let holdsFrom = 0.25
    static let calmBelow = 0.1
    /// The part of its time that is spent in the kernel. A compiler's is a tenth, that of an installation of packages a
    /// half.
    static let share = 0.6
    private static let memory = 1.5e9
    /// How long one that has calmed writes to its disk as if it had not, in nanoseconds: it is calm because it waits for
    /// the disk. Doubles for one that begins again soon after, up to the longest.
    private static let aftermath: UInt64 = 15_000_000_000
    private static let longestAftermath: UInt64 = 120_000_000_000

    private struct Session {
        var total: RecentRate
        var kernel: RecentRate
        var holds = false
        var lastHeld: UInt64?
        var aftermath = KernelHolders.aftermath

        init(_ used: ProcessorUse) {
            total = RecentRate(used.total)
            kernel = RecentRate(used.kernel)
        }

        func isSlowed(at time: UInt64) -> Bool { lastHeld.map { time - $0 < aftermath } ?? false }
    }

    /// What is to hold from now on.
    struct Verdict: Equatable {
        /// Whose processes may run on some of the processors only.
        var kept: Set<String> = []
        /// Who waits for the disk.
        var slowed: Set<String> = []
    }

    private var sessions: [String: Session] = [:]
    private var lastTime: UInt64?

    /// Takes what each session has used since it was made, at a time in nanoseconds that only rises. Where there is nobody
    /// to be spared, nobody is kept.
    mutating func sample(_ used: [String: ProcessorUse], at time: UInt64) -> Verdict {
        let elapsed = Double(time - min(lastTime ?? time, time))
        lastTime = time
        var current: [String: Session] = [:]
        for (name, use) in used {
            guard var session = sessions[name],
                session.total.take(use.total, elapsed: elapsed, memory: Self.memory),
                session.kernel.take(use.kernel, elapsed: elapsed, memory: Self.memory)
            else {
                current[name] = Session(use)
                continue
            }
            let held = session.holds
            session.holds =
                held
                ? session.kernel.value >= Self.calmBelow
                : session.kernel.value >= Self.holdsFrom && session.kernel.value >= Self.share * session.total.value
            if session.holds {
                if !held, let last = session.lastHeld {
                    session.aftermath =
                        time - last < 2 * session.aftermath
                        ? min(2 * session.aftermath, Self.longestAftermath) : Self.aftermath
                }
                session.lastHeld = time
            }
            current[name] = session
        }
        sessions = current
        let kept = current.filter(\.value.holds).keys
        let slowed = current.filter { $0.value.isSlowed(at: time) }.keys
        guard slowed.count < current.count else { return Verdict() }
        return Verdict(kept: Set(kept), slowed: Set(slowed))
    }
}
