import Foundation
import Glibc
import Policy
import Sandbox

/// What a sandbox costs beside bubblewrap with the same namespaces and beside the bare clone and exec, in turns. As
/// root; bubblewrap's row is left out where it is not installed.
@main
struct SandboxBench {
    static func main() throws {
        guard geteuid() == 0 else {
            FileHandle.standardError.write(Data("sandbox-bench: run it as root\n".utf8))
            exit(2)
        }
        let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 200
        let bench = try Spawns()
        defer { bench.remove() }
        try bench.interleaved(rounds: rounds)
        try bench.atOnce(20)
        try bench.teardown(rounds: min(rounds, 100))
        try bench.initMemory()
        try bench.systemCalls()
    }
}

/// Milliseconds, sorted.
struct Times {
    private let sorted: [Double]

    init(_ times: [Double]) { sorted = times.sorted() }

    var median: Double { sorted[sorted.count / 2] }

    var text: String {
        func number(_ value: Double) -> String { String(format: "%.2f", value) }
        let high = sorted[min(sorted.count - 1, sorted.count * 95 / 100)]
        return "median \(number(median)) ms, \(number(sorted[0])) to \(number(high)) (p95), n=\(sorted.count)"
    }

    static func measure(_ body: () throws -> Void) rethrows -> Double {
        let begin = ContinuousClock.now
        try body()
        return (ContinuousClock.now - begin) / .milliseconds(1)
    }
}
