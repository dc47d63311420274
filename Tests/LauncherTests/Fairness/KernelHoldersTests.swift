import Sandbox
import Testing

@testable import Launcher

@Suite struct KernelHoldersTests {
    /// Sessions that each use some of a processor, and some of that in the kernel, looked at every quarter second.
    private struct Run {
        var holders = KernelHolders()
        var clock = 1.0
        private var used: [String: (total: Double, kernel: Double)] = [:]

        mutating func go(_ seconds: Double, _ rates: [String: (total: Double, kernel: Double)]) -> KernelHolders.Verdict
        {
            var verdict = KernelHolders.Verdict()
            for _ in 0..<Int(seconds * 4) {
                clock += 0.25
                for (name, rate) in rates {
                    let before = used[name] ?? (0, 0)
                    used[name] = (before.total + rate.total * 0.25, before.kernel + rate.kernel * 0.25)
                }
                let uses = used.filter { rates[$0.key] != nil }.mapValues {
                    ProcessorUse(total: UInt64($0.total * 1e9), kernel: UInt64($0.kernel * 1e9))
                }
                verdict = holders.sample(uses, at: UInt64(clock * 1e9))
            }
            return verdict
        }
    }

    private let quiet = (total: 0.02, kernel: 0.01)

    @Test(arguments: [
        // A disk filler, a memory bomb, one that uses two processors.
        (0.95, 0.9, true), (1.9, 1.5, true), (0.45, 0.3, true), (0.36, 0.35, true),
        // A compiler on four, an installation of packages, what is in the kernel alone and little.
        (4.0, 0.5, false), (1.0, 0.5, false), (0.2, 0.2, false),
    ])
    func whoKeepsProcessorsInTheKernelIsKeptFromSomeOfThem(total: Double, kernel: Double, isKept: Bool) {
        var run = Run()
        let verdict = run.go(10, ["other": (total, kernel), "quiet": quiet])
        #expect(verdict == KernelHolders.Verdict(kept: isKept ? ["other"] : [], slowed: isKept ? ["other"] : []))
    }

    @Test func aShortBurstIsNone() {
        var run = Run()
        _ = run.go(5, ["other": quiet, "quiet": quiet])
        #expect(run.go(0.25, ["other": (1, 1), "quiet": quiet]) == KernelHolders.Verdict())
    }

    @Test func oneThatWaitsForTheDiskGoesOnWaitingAndLongerWhenItBeginsAgain() {
        var run = Run()
        for seconds in [15.0, 30, 60, 120, 120] {
            #expect(run.go(5, ["other": (1, 0.95), "quiet": quiet]).kept == ["other"])
            let calm = run.go(seconds - 1, ["other": (0.05, 0.05), "quiet": quiet])
            #expect(calm == KernelHolders.Verdict(kept: [], slowed: ["other"]), "\(seconds)")
            // Four seconds later at most, for it was not calm at once.
            #expect(run.go(5, ["other": (0.05, 0.05), "quiet": quiet]) == KernelHolders.Verdict(), "\(seconds)")
        }
        _ = run.go(600, ["other": (0.05, 0.05), "quiet": quiet])
        _ = run.go(5, ["other": (1, 0.95), "quiet": quiet])
        #expect(run.go(20, ["other": (0.05, 0.05), "quiet": quiet]) == KernelHolders.Verdict())
    }

    @Test func whereThereIsNobodyToBeSparedNobodyIsKept() {
        var run = Run()
        #expect(run.go(10, ["one": (1, 1), "other": (1, 0.9)]) == KernelHolders.Verdict())
        #expect(run.go(1, ["one": (1, 1), "other": (1, 0.9), "quiet": quiet]).kept == ["one", "other"])
        #expect(run.go(1, ["one": (1, 1)]) == KernelHolders.Verdict())
    }

    @Test func aLeafMadeAnewIsLookedAtAnew() {
        var run = Run()
        #expect(run.go(10, ["other": (1, 1), "quiet": quiet]).kept == ["other"])
        let again = run.holders.sample(
            ["other": ProcessorUse(total: 5, kernel: 5), "quiet": ProcessorUse(total: 0)],
            at: UInt64(run.clock * 1e9) + 1)
        #expect(again == KernelHolders.Verdict())
    }
}
